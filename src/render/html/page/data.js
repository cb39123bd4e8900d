// The trace as it came, and ways to ask it. Texts come from log files and go to the page as text only.
const TRACE = JSON.parse(document.getElementById("trace-data").textContent);
const EVENTS = TRACE.timeline;
const SEVERITIES = ["critical", "high", "medium", "low", "info"];

// A value of the timeline: columns hold distinct values and, by row, which.
function get(column, row) {
  const of = EVENTS.columns[column];
  return of ? of.values[of.rows[row]] : null;
}

const TIMES = EVENTS.columns.event_time.rows.map((at) => Date.parse(EVENTS.columns.event_time.values[at]) / 1000);

// Whose events are shown, everywhere: the intruder's (and what may be), the owner's, or all.
const STRANGE = ["intruder", "suspicious", "both"];
const KNOWN = TRACE.credentials.some((of) => STRANGE.includes(of.used_by)) || (EVENTS.columns.origin && EVENTS.columns.origin.values.some((value) => STRANGE.includes(value)));
const VIEW = { who: KNOWN ? "intruder" : "all", changed: [] };
// What others did about the credentials belongs to every view.
function isShown(origin) {
  if (VIEW.who === "all") return true;
  const owners = origin === "owner";
  return VIEW.who === "owner" ? owners || origin === "both" : !owners;
}
const rowShown = (row) => get("relation", row) === "about" || isShown(get("origin", row));

// The page's state is in its address, so that it can be sent: #event=…&who=…&from=…&to=…
function state() {
  return new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
}
function remember(values) {
  const now = state();
  for (const [key, value] of Object.entries(values)) if (value === null || value === undefined || value === "") now.delete(key); else now.set(key, value);
  const hash = now.toString();
  try { history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search); } catch { /* some places keep no address */ }
}

let byId = null;
function rowOf(eventId) {
  if (!byId) {
    byId = new Map();
    for (let row = 0; row < EVENTS.count; row++) byId.set(get("event_id", row), row);
  }
  return byId.get(eventId);
}

function tacticOf(row) {
  return get("tactic", row) || "other";
}

// An element with attributes and children; texts become text nodes, never markup.
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [event, run] of Object.entries(value)) made.addEventListener(event, run);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A cell holds no more than this of a text; the drawer has all of it.
const CELL = 300;
function short(text, most = CELL) {
  const all = text === null || text === undefined ? "" : String(text);
  return all.length > most ? all.slice(0, most) + "…" : all;
}

function clock(text) {
  return text ? text.replace("T", " ").replace("Z", "") : "";
}

function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (number >= 1024 && at < units.length - 1) { number /= 1024; at++; }
  return `${at ? number.toFixed(1) : number} ${units[at]}`;
}

// The name of a principal without what is the same for all.
function name(arn) {
  if (!arn) return "";
  const parts = arn.split(":");
  return parts.length > 5 ? parts.slice(5).join(":") : arn;
}

function color(variable) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${variable}`).trim();
}

// Runs again when the reader's colours change.
const repaints = [];
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => repaints.forEach((run) => run()));
