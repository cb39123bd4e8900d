// The tables, and everything put in its place.
const col = (label, value, width, more = {}) => ({ label, value, width, ...more });
const NOTED = TRACE.noted || {};
const noted = (row) => NOTED[get("event_id", row)] || "";
const EVENT_COLUMNS = [
  ...(Object.keys(NOTED).length ? [col("note", noted, "12rem", { show: (row) => el("span", { class: "noted" }, short(noted(row))) })] : []),
  col("time", (row) => clock(get("event_time", row)), "10.5rem"),
  col("severity", (row) => get("severity", row), "5.5rem", { show: (row) => severity(get("severity", row)) }),
  col("call", (row) => `${service(row)}:${get("event_name", row)}`, "15rem"),
  col("on", (row) => get("target", row), "16rem"),
  col("result", (row) => get("error_code", row) || "", "9rem", { show: (row) => el("span", { class: "err" }, short(get("error_code", row))) }),
  col("origin", (row) => get("origin", row), "7.5rem", { show: (row) => origin(get("origin", row)) }),
  col("who", (row) => name(get("user_identity_arn", row)), "14rem"),
  col("key", (row) => get("access_key_id", row), "13rem"),
  col("from", (row) => get("source_ip_address", row), "11rem"),
  col("with", (row) => get("user_agent", row), "14rem"),
  col("region", (row) => get("aws_region", row), "7rem"),
  col("account", (row) => get("account_id", row), "8rem"),
  col("tactic", (row) => get("tactic", row), "10rem"),
  col("finding", (row) => get("finding", row), "16rem"),
];
const cred = (at) => TRACE.credentials[at];
// A dry run that was allowed has an error code, too.
const failed = (row) => !/^$|^Success$|^(Client\.)?DryRunOperation$/.test(get("error_code", row) || "");
const CREDENTIAL_COLUMNS = [
  col("credential", (at) => title(cred(at)), "26rem", { show: (at) => `${"· ".repeat(Math.min(cred(at).depth, 20))}${short(title(cred(at)))}` }),
  col("used by", (at) => cred(at).used_by, "7.5rem", { show: (at) => origin(cred(at).used_by) }),
  col("created by", (at) => cred(at).issued_by_event_name, "11rem"),
  col("rule", (at) => cred(at).rule, "6rem"),
  col("confidence", (at) => cred(at).confidence, "5.5rem"),
  col("account", (at) => cred(at).account_id, "8rem"),
  col("first seen", (at) => clock(cred(at).first_seen), "10.5rem"),
  col("last seen", (at) => clock(cred(at).last_seen), "10.5rem"),
  col("events", (at) => cred(at).events, "5rem", { num: true }),
  col("failed", (at) => cred(at).errors, "5rem", { num: true }),
  col("still valid", (at) => (cred(at).live === null ? "not known" : cred(at).live ? "yes" : "no"), "6rem"),
  col("addresses", (at) => cred(at).source_ip_addresses.join(", "), "14rem"),
];

// Addresses are counted from the timeline, so that every number has its events.
function addresses() {
  const known = new Map();
  for (const source of TRACE.summary.sources) known.set(source.source_ip_address, (known.get(source.source_ip_address) || []).concat(source));
  const found = new Map();
  for (let row = 0; row < EVENTS.count; row++) {
    if (get("relation", row) === "about") continue;
    const address = get("source_ip_address", row) || "none";
    let of = found.get(address);
    if (!of) found.set(address, (of = { address, rows: [], failed: 0, agents: new Set(), credentials: new Set(), regions: new Set(), origins: new Map() }));
    of.rows.push(row);
    if (failed(row)) of.failed++;
    of.agents.add(get("user_agent", row) || "");
    of.credentials.add(get("credential", row));
    of.regions.add(get("aws_region", row) || "");
    of.origins.set(get("origin", row), (of.origins.get(get("origin", row)) || 0) + 1);
  }
  return [...found.values()].map((of) => {
    const sources = known.get(of.address) || [];
    const verdicts = new Set(sources.map((source) => source.origin));
    const most = [...of.origins].sort((a, b) => b[1] - a[1])[0][0];
    const why = sources.map((source) => (sources.length > 1 ? `${source.program} (${source.origin}): ${source.why}` : source.why)).join(" · ");
    return { ...of, origin: verdicts.size > 1 && verdicts.has("intruder") ? "both" : sources.length ? sources[0].origin : most, why, first: get("event_time", of.rows[0]), last: get("event_time", of.rows[of.rows.length - 1]) };
  }).sort((a, b) => (a.origin === "owner") - (b.origin === "owner") || b.rows.length - a.rows.length);
}

// From where, with what, to which service, how much. Each sum has its events.
function flows() {
  const found = new Map();
  for (let row = 0; row < EVENTS.count; row++) {
    if (get("relation", row) === "about") continue;
    const parts = [get("source_ip_address", row) || "none", get("credential", row), service(row), get("origin", row)];
    const key = JSON.stringify(parts);
    let of = found.get(key);
    if (!of) found.set(key, (of = { address: parts[0], credential: parts[1], service: parts[2], origin: parts[3], rows: [], failed: 0, bytes: 0 }));
    of.rows.push(row);
    if (failed(row)) of.failed++; else of.bytes += get("bytes_out", row) || 0;
  }
  return [...found.values()].sort((a, b) => (a.origin === "owner") - (b.origin === "owner") || b.bytes - a.bytes || b.rows.length - a.rows.length);
}

// A number with a bar as long as its share of the most.
function bar(text, share) {
  const made = el("span", { class: "bar" }, text);
  made.style.backgroundSize = `${Math.round(Math.sqrt(share) * 100)}% 100%`;
  return made;
}

function flowsTable() {
  const all = flows(), most = Math.max(1, ...all.map((of) => of.bytes)), many = Math.max(1, ...all.map((of) => of.rows.length));
  const who = (of) => (of.credential === null || !cred(of.credential) ? "" : title(cred(of.credential)));
  new Table("flows-table", { origin: (of) => of.origin, label: "flows", rows: all, empty: "no event was found", opened: (of) => openEvents(`${of.address} → ${of.service}`, of.rows), columns: [
    col("address", (of) => of.address, "12rem"), col("credential", who, "24rem"), col("service", (of) => of.service, "9rem"),
    col("bytes out", (of) => of.bytes, "8rem", { num: true, show: (of) => (of.bytes ? bar(bytes(of.bytes), of.bytes / most) : "") }), col("events", (of) => of.rows.length, "6rem", { num: true, show: (of) => bar(String(of.rows.length), of.rows.length / many) }),
    col("failed", (of) => of.failed, "5rem", { num: true }), col("origin", (of) => of.origin, "7.5rem", { show: (of) => origin(of.origin) }),
    col("first", (of) => clock(get("event_time", of.rows[0])), "10.5rem"), col("last", (of) => clock(get("event_time", of.rows[of.rows.length - 1])), "10.5rem")] });
}

function tables() {
  const rows = (list) => list || [];
  new Table("credentials-table", { origin: (at) => cred(at).used_by, label: "credentials", rows: TRACE.credentials.map((_, at) => at), opened: openCredential, columns: CREDENTIAL_COLUMNS, empty: "no credential was found" });
  const timeline = new Table("timeline-table", { label: "timeline", rows: Array.from({ length: EVENTS.count }, (_, row) => row), opened: openEvent, columns: EVENT_COLUMNS, empty: "no event was found" });
  flowsTable();
  new Table("addresses-table", { origin: (of) => of.origin, label: "addresses", rows: addresses(), opened: (of) => openEvents(`Events from ${of.address}`, of.rows), columns: [
    col("address", (of) => of.address, "13rem"), col("origin", (of) => of.origin, "7.5rem", { show: (of) => origin(of.origin) }), col("events", (of) => of.rows.length, "5rem", { num: true }),
    col("failed", (of) => of.failed, "5rem", { num: true }), col("credentials", (of) => of.credentials.size, "6.5rem", { num: true }), col("first seen", (of) => clock(of.first), "10.5rem"), col("last seen", (of) => clock(of.last), "10.5rem"),
    col("network", (of) => (TRACE.networks || {})[of.address] || "", "12rem"), col("regions", (of) => [...of.regions].join(", "), "12rem"), col("programs", (of) => [...of.agents].join(" · "), "20rem"), col("why", (of) => of.why, "24rem")] });
  new Table("findings-table", { label: "findings", rows: rows(TRACE.findings), opened: (of) => openEvents(of.why, of.event_ids.map(rowOf)), columns: [
    col("severity", (of) => rank(of.severity), "6rem", { show: (of) => severity(of.severity) }), col("tactic", (of) => of.tactic, "10rem"),
    col("technique", (of) => `${of.technique_id}${of.technique_id_before ? ` (was ${of.technique_id_before})` : ""} ${of.technique_name}`, "22rem"), col("call", (of) => `${of.event_source.replace(".amazonaws.com", "")}:${of.event_name}`, "14rem"),
    col("why", (of) => of.why, "26rem"), col("events", (of) => of.event_ids.length, "5rem", { num: true }), col("result", (of) => (of.failed ? "all failed" : ""), "6rem"), col("first", (of) => clock(of.first_seen), "10.5rem"), col("last", (of) => clock(of.last_seen), "10.5rem")] });
  new Table("created-table", { origin: (of) => of.origin, label: "clean-up", rows: rows(TRACE.created), opened: openCreated, columns: [
    col("state", (of) => of.state, "9rem"), col("kind", (of) => of.kind, "9rem"), col("id", (of) => of.id, "18rem"), col("of", (of) => of.on, "12rem"), col("origin", (of) => of.origin, "7.5rem", { show: (of) => origin(of.origin) }),
    col("change", (of) => of.change, "6rem"), col("by", (of) => of.event_name, "12rem"), col("time", (of) => clock(of.event_time), "10.5rem"), col("account", (of) => of.account_id, "8rem"), col("region", (of) => of.aws_region, "7rem"), col("undo", (of) => of.undo, "30rem", { show: (of) => el("code", {}, short(of.undo)) })] });
  new Table("data-table", { origin: (of) => of.origin, label: "data", rows: rows(TRACE.data_access), opened: openData, columns: [
    col("kind", (of) => of.kind, "7rem"), col("resource", (of) => of.resource, "24rem"), col("what", (of) => of.actions.join(", "), "10rem"), col("origin", (of) => of.origin, "7.5rem", { show: (of) => origin(of.origin) }),
    col("requests", (of) => of.requests, "6rem", { num: true }), col("failed", (of) => of.failed, "5rem", { num: true }), col("objects read", (of) => of.objects_read, "7rem", { num: true }), col("bytes out", (of) => of.bytes_out, "7rem", { num: true, show: (of) => bytes(of.bytes_out) }),
    col("bytes in", (of) => of.bytes_in, "7rem", { num: true, show: (of) => bytes(of.bytes_in) }), col("first", (of) => clock(of.first_seen), "10.5rem"), col("last", (of) => clock(of.last_seen), "10.5rem")] });
  new Table("denied-table", { origin: (of) => of.origin, label: "failed calls", rows: rows(TRACE.denied), opened: (of) => openEvents("Failed call", [rowOf(of.event_id)]), columns: [
    col("call", (of) => `${of.event_source.replace(".amazonaws.com", "")}:${of.event_name}`, "16rem"), col("why", (of) => of.error_code, "14rem"), col("events", (of) => of.events, "5rem", { num: true }), col("origin", (of) => of.origin, "7.5rem", { show: (of) => origin(of.origin) }),
    col("key", (of) => of.access_key_id, "13rem"), col("regions", (of) => of.regions.join(", "), "12rem"), col("first", (of) => clock(of.first_seen), "10.5rem"), col("last", (of) => clock(of.last_seen), "10.5rem"), col("error message", (of) => of.error_message, "30rem")] });
  new Table("pivot-table", { label: "others", rows: rows(TRACE.pivot), empty: "no one else used the intruder's addresses", columns: [
    col("key", (of) => of.access_key_id, "13rem"), col("principal", (of) => name(of.principal_arn), "20rem"), col("account", (of) => of.account_id, "8rem"), col("address", (of) => of.source_ip_address, "11rem"), col("round", (of) => of.round, "5rem", { num: true }),
    col("events", (of) => of.events, "5rem", { num: true }), col("failed", (of) => of.errors, "5rem", { num: true }), col("first", (of) => clock(of.first_seen), "10.5rem"), col("last", (of) => clock(of.last_seen), "10.5rem")] });
  if (rows(TRACE.not_followed).length) new Table("not-followed-table", { label: "not followed", rows: TRACE.not_followed, opened: (of) => openEvents(`Changes of ${short(of.what, 80)} by the owner`, of.event_ids.map(rowOf)), columns: [
    col("changed", (of) => of.what, "20rem"), col("by", (of) => of.event_name, "14rem"), col("calls", (of) => of.events, "5rem", { num: true }), col("credentials left out", (of) => of.credentials, "10rem", { num: true }), col("account", (of) => of.account_id, "8rem"),
    col("first", (of) => clock(of.first_seen), "10.5rem"), col("last", (of) => clock(of.last_seen), "10.5rem"), col("from", (of) => of.source_ip_addresses.join(", "), "16rem"), col("keys", (of) => of.access_key_ids.join(", "), "16rem")] });
  return timeline;
}

function openCreated(of) {
  const facts = ["kind", "id", "on", "change", "state", "origin", "event_name", "event_time", "account_id", "aws_region", "by_access_key_id"].map((field) => [field.replaceAll("_", " "), of[field]]);
  show(el("h3", {}, `${of.kind} ${short(of.id, 120)}`), pairs(facts), el("h3", {}, "Undo"), el("pre", { tabindex: 0 }, of.undo), el("div", { class: "tools" }, ...link([of.event_id, of.removed_by_event_id].filter(Boolean))));
}

function openData(of) {
  const facts = ["kind", "resource", "origin", "requests", "failed", "objects", "objects_read", "bytes_out", "bytes_out_failed", "bytes_in", "first_seen", "last_seen"].map((field) => [field.replaceAll("_", " "), of[field]]);
  facts.push(["what", of.actions.join(", ")], ["calls", of.calls.map(([call, n]) => `${call} × ${n}`).join(", ")], ["keys", of.access_key_ids.join(", ")]);
  const last = of.resource.split(":").pop();
  const rows = [];
  for (let row = 0; row < EVENTS.count; row++) {
    const target = get("target", row) || "";
    if ((target.includes(of.resource) || (last && target.includes(last))) && of.calls.some(([call]) => call.endsWith(get("event_name", row)) || get("event_name", row).startsWith(call.split(":").pop()))) rows.push(row);
  }
  show(el("h3", {}, short(of.resource, 120)), el("div", { class: "tools" }, rows.length ? el("button", { type: "button", on: { click: () => openEvents(`Events on ${short(of.resource, 80)}`, rows) } }, `${rows.length} events`) : null), pairs(facts));
}

const timeline = tables();

// One switch for chart, tables and lineage.
function drawSwitch() {
  const host = document.getElementById("who");
  if (!TRACE.credentials.length) return;
  host.hidden = false;
  const choices = [["intruder", "intruder and unknown"], ["owner", "owner"], ["all", "all"]];
  const buttons = choices.map(([who, text]) => el("button", { type: "button", "data-who": who, on: { click: () => choose(who) } }, text));
  host.replaceChildren("show ", ...buttons, el("span", { class: "soft", "aria-live": "polite" }));
  const mark = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.who === VIEW.who));
    let shown = 0;
    for (let row = 0; row < EVENTS.count; row++) if (rowShown(row)) shown++;
    host.lastChild.textContent = `${shown} of ${EVENTS.count} events`;
  };
  const choose = (who) => {
    VIEW.who = who;
    remember({ who: who === "intruder" && KNOWN ? null : who });
    mark();
    TABLES.forEach((table) => table.refresh());
    VIEW.changed.forEach((run) => run());
  };
  mark();
}

// Commands can be copied and ticked. Ticks are kept in this browser; one that keeps nothing is no reason to fail.
function drawTodos() {
  for (const pre of document.querySelectorAll(".todo pre")) {
    const button = el("button", { type: "button", "aria-label": "Copy the command" }, "copy");
    const say = (text) => { button.textContent = text; setTimeout(() => { button.textContent = "copy"; }, 1500); };
    button.addEventListener("click", () => {
      const select = () => { getSelection().selectAllChildren(pre); say("selected"); };
      if (navigator.clipboard) navigator.clipboard.writeText(pre.textContent).then(() => say("copied"), select); else select();
    });
    const place = el("div", { class: "command" });
    pre.replaceWith(place);
    place.append(pre, button);
  }
  const STORE = "keytrail-trace-steps";
  const read = () => { try { return new Set(JSON.parse(localStorage.getItem(STORE) || "[]").filter((text) => typeof text === "string")); } catch { return new Set(); } };
  const ticked = read();
  for (const box of document.querySelectorAll("input[data-todo]")) {
    box.checked = ticked.has(box.dataset.todo);
    box.addEventListener("change", () => {
      const now = read();
      if (box.checked) now.add(box.dataset.todo); else now.delete(box.dataset.todo);
      try { localStorage.setItem(STORE, JSON.stringify([...now])); } catch { /* ticks last as long as the page is open */ }
    });
  }
}

const KEYS = [["/", "search the timeline"], ["j / k", "next / previous event, in the drawer"], ["i / o / a", "show the intruder's, the owner's, all"], ["t / l", "go to the timeline, the lineage"], ["Esc", "close"], ["?", "this list"]];
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "Escape" && typing) { event.target.blur(); return; }
  if (typing) return;
  const who = { i: "intruder", o: "owner", a: "all" }[event.key];
  if (event.key === "/") { event.preventDefault(); if (drawer.open) drawer.close(); timeline.search.focus(); timeline.search.scrollIntoView({ block: "center" }); }
  else if (event.key === "?") show(el("h3", {}, "Keys"), el("dl", {}, ...KEYS.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])));
  else if ((event.key === "j" || event.key === "k") && opened !== null) openBeside(opened, event.key === "j" ? 1 : -1);
  else if (who) { const button = document.querySelector(`#who [data-who=${who}]`); if (button) button.click(); }
  else if (event.key === "t" || event.key === "l") document.getElementById(event.key === "t" ? "timeline" : "lineage").scrollIntoView();
});

// The next event of the view.
function openBeside(row, by) {
  for (let at = row + by; at >= 0 && at < EVENTS.count; at += by) if (rowShown(at)) return openEvent(at);
}

const began = state();
if (["intruder", "owner", "all"].includes(began.get("who"))) VIEW.who = began.get("who");
drawSwitch();
drawTodos();
drawChart(timeline);
drawGraph();
TABLES.forEach((table) => table.refresh());
if (began.get("q")) timeline.find(began.get("q"));
if (began.get("event")) openEvent(rowOf(began.get("event")));
addEventListener("hashchange", () => { const id = state().get("event"); if (id && rowOf(id) !== undefined && rowOf(id) !== opened) openEvent(rowOf(id)); });
document.documentElement.dataset.ready = "yes";
