// The drawer: one event with everything that is known of it, or a list of events.
const drawer = document.getElementById("drawer");

function show(...content) {
  drawer.replaceChildren(el("button", { type: "button", class: "close", on: { click: () => drawer.close() } }, "close"), ...content.filter((part) => part !== null));
  if (!drawer.open) drawer.showModal();
  drawer.scrollTop = 0;
}
let opened = null;
drawer.addEventListener("close", () => { opened = null; remember({ event: null }); });
drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });

const FACTS = ["event_time", "event_source", "event_name", "target", "origin", "severity", "tactic", "finding", "confidence", "access_key_id", "user_identity_arn",
  "source_ip_address", "user_agent", "aws_region", "account_id", "error_code", "error_message", "via_service", "read_only", "event_category", "relation", "event_id"];

function pairs(facts) {
  const list = el("dl");
  for (const [label, value] of facts) {
    if (value === null || value === undefined || value === "") continue;
    list.append(el("dt", {}, label), el("dd", {}, value instanceof Node ? value : String(value)));
  }
  return list;
}

function openEvent(row) {
  if (row === undefined || row === null) return;
  opened = row;
  const facts = [["note", noted(row)], ...FACTS.map((column) => [column.replaceAll("_", " "), get(column, row)])];
  const file = get("log_file", row);
  const source = pairs([
    ["log file", file], ["record", get("log_file_record", row)],
    ["SHA-256 of the log file", file ? TRACE.log_files[file] || "not in the ledger" : null],
    ["integrity of the log file", file ? TRACE.integrity[file] || "not checked" : null],
  ]);
  const by = get("credential", row);
  const credential = by === null ? null : el("button", { type: "button", on: { click: () => openCredential(by) } }, "its credential");
  const parts = [["requestParameters", get("request_parameters", row)], ["responseElements", get("response_elements", row)]]
    .filter(([, value]) => value !== null)
    .map(([label, value]) => el("details", { open: true }, el("summary", {}, label), el("pre", { tabindex: 0 }, pretty(value))));
  const record = get("record", row);
  const raw = record === null
    ? el("p", { class: "soft" }, "The page does not include this event's full record: it has the records behind its claims, and others as space allows. The log file below has it.")
    : el("details", {}, el("summary", {}, "full record"), el("p", { class: "soft" }, "Rebuilt from the columns that keytrail keeps, in their order, without session tokens. The log file below has the original."), el("pre", { tabindex: 0 }, pretty(record)));
  const step = (by) => el("button", { type: "button", on: { click: () => openEvent(row + by) }, disabled: row + by < 0 || row + by >= EVENTS.count }, by < 0 ? "← before" : "after →");
  show(el("h3", {}, `${service(row)}:${get("event_name", row)}`), el("div", { class: "tools" }, step(-1), step(1), credential), pairs(facts), ...parts, raw, el("h3", {}, "Source"), source);
  opened = row;
  remember({ event: get("event_id", row) });
}

function service(row) {
  return (get("event_source", row) || "").replace(".amazonaws.com", "");
}

// JSON text may hold characters in its own notation that would act or hide once it is parsed.
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]/gu;
function pretty(text) {
  let shown = String(text);
  try { shown = JSON.stringify(JSON.parse(shown), null, 2); } catch { /* not JSON: as it is */ }
  return shown.replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

// Many events: a list in the drawer, from which each can be opened.
function openEvents(title, rows) {
  const known = rows.filter((row) => row !== undefined);
  if (known.length === 1 && rows.length === 1) return openEvent(known[0]);
  const host = el("div", { id: "drawer-table" });
  show(el("h3", {}, title), host);
  if (known.length < rows.length) drawer.append(el("p", { class: "soft" }, `${rows.length - known.length} of the events are not part of this timeline`));
  if (known.length) {
    const table = new Table("drawer-table", { label: title, rows: known, opened: openEvent, columns: EVENT_COLUMNS.slice(0, 5) });
    TABLES.splice(TABLES.indexOf(table), 1);
  }
}

function openCredential(at) {
  const of = TRACE.credentials[at];
  if (!of) return;
  const rows = [];
  for (let row = 0; row < EVENTS.count; row++) if (get("credential", row) === at) rows.push(row);
  const born = of.issued_by_event_id ? rowOf(of.issued_by_event_id) : undefined;
  const facts = ["access_key_id", "kind", "principal_arn", "account_id", "session_name", "origin", "used_by", "rule", "confidence", "path_confidence", "parent_access_key_id", "parent_principal_arn",
    "issued_by_event_name", "issued_at", "expires_at", "live", "first_seen", "last_seen", "events", "errors"].map((field) => [field.replaceAll("_", " "), of[field]]);
  facts.push(["addresses", of.source_ip_addresses.join(", ")], ["via services", of.via_services.join(", ")]);
  show(el("h3", {}, short(title(of))), el("div", { class: "tools" },
    el("button", { type: "button", on: { click: () => openEvents(`Events of ${short(title(of), 80)}`, rows) } }, `its ${rows.length} events`),
    of.issued_by_event_id ? el("button", { type: "button", on: { click: () => openEvents("Created by", [born]) } }, "the event that created it") : null), pairs(facts));
}

function title(of) {
  return `${of.access_key_id || "console session"} ${name(of.principal_arn)}`;
}

// What an event is, in a few words: 15:01:12 AttachUserPolicy.
function said(id) {
  const row = rowOf(id);
  return row === undefined ? "event" : `${clock(get("event_time", row)).slice(11)} ${short(get("event_name", row), 60)}`;
}

// "event" buttons of the parts that were written without scripts, and lists of events.
function link(ids, most = 3) {
  const shown = ids.slice(0, most).map((id) => el("button", { type: "button", on: { click: () => openEvents("Event", [rowOf(id)]) } }, said(id)));
  if (ids.length > most) shown.push(el("button", { type: "button", on: { click: () => openEvents(`${ids.length} events`, ids.map(rowOf)) } }, `all ${ids.length} events`));
  return shown;
}
document.querySelectorAll("button[data-event]").forEach((button) => { if (!("own" in button.dataset)) button.textContent = said(button.dataset.event); });
document.querySelectorAll("button[data-event]").forEach((button) => button.addEventListener("click", () => openEvents("Event", [rowOf(button.dataset.event)])));
document.querySelectorAll("span[data-events]").forEach((span) => span.replaceChildren(...link(span.dataset.events.split(" "))));
