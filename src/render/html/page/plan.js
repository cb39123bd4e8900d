// Ticks, a filter, and what a day of a strip says. The steps of a key are built when it is opened.
const all = (query, of = document) => [...of.querySelectorAll(query)];
const $ = (id) => document.getElementById(id);
const STORE = "keytrail-plan-steps";

// Only ids of steps are kept, and only such are read back. A browser that keeps nothing is no reason to fail.
const ID = /^[0-9a-f]{16}$/;
const ids_ = (list) => (Array.isArray(list) ? list : []).filter((id) => typeof id === "string" && ID.test(id));
let memory = new Set();
function kept() {
  try { return new Set(ids_(JSON.parse(localStorage.getItem(STORE) || "[]"))); } catch { return new Set(memory); }
}
function keep(ids) {
  memory = new Set(ids);
  try { localStorage.setItem(STORE, JSON.stringify([...ids].sort())); } catch { /* ticks last as long as the page is open */ }
}

// Boxes, strips and commands of a part of the page.
function bring(part) {
  const ticked = kept();
  for (const box of all("input[data-step]", part)) {
    box.checked = ticked.has(box.dataset.step);
    box.addEventListener("change", () => {
      const now = kept();
      if (box.checked) now.add(box.dataset.step); else now.delete(box.dataset.step);
      keep(now);
      count();
    });
  }
  for (const strip of all(".strip", part)) tell(strip);
  for (const pre of all(".step pre", part)) copied(pre);
}

// A part of the page: texts come from log files, and are text.
function el(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) if (value) node.setAttribute(name, value);
  node.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}
const KINDS = { check: "check", back: "if it goes wrong", wait: "wait" };
const command = (text) => el("pre", { tabindex: "0" }, el("code", {}, text));
const listed = (of) => el("ul", {}, of.map((text) => el("li", {}, text)));
function steps(of) {
  return el("ol", { class: "steps" }, of.map((step) => el("li", { class: `step ${step.kind}` },
    el("label", {}, el("input", { type: "checkbox", "data-step": step.id }), el("span", {}, KINDS[step.kind] ? [el("i", { class: "kind" }, KINDS[step.kind]), " "] : [], step.what)),
    step.detail ? el("p", {}, step.detail) : "",
    step.commands.map(command))));
}
function strip(of) {
  const node = (tag, given) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
    return made;
  };
  const few = of.days < 45;
  const svg = node("svg", { class: "strip", viewBox: `0 0 ${of.days} 10`, preserveAspectRatio: "none", role: "img", "aria-label": of.label, "data-days": of.figures, ...(few ? { width: of.days * 22 } : {}) });
  of.levels.forEach((level, at) => { if (level) svg.append(node("path", { class: `l${at + 1}`, d: level })); });
  if (of.errors) svg.append(node("path", { class: "bad", d: of.errors }));
  return el("figure", { class: few ? "few" : "" }, svg, el("figcaption", {}, el("span", {}, DATA.from), el("span", { class: "tip", "aria-live": "polite" }), el("span", {}, DATA.to)));
}
function consumer(one) {
  const pair = (term, text, mono) => (text ? [el("dt", {}, term), el("dd", { class: mono ? "mono" : "" }, text)] : []);
  const joined = (of, by) => (of || []).join(by);
  return el("article", { class: `consumer ${one.state.replaceAll(" ", "-")}` },
    el("h3", {}, one.name),
    el("p", { class: "facts" }, el("span", { class: "mono" }, one.consumer_id), el("span", {}, el("b", {}, one.workload), `, ${one.confidence} confidence`), el("span", {}, el("b", {}, one.state)), el("span", {}, one.cadence), el("span", {}, el("b", {}, `${one.events}`), ` calls, ${one.errors} failed`), el("span", {}, `${one.first_seen.slice(0, 10)} – ${one.last_seen.slice(0, 10)}`)),
    one.strip ? strip(one.strip) : "",
    one.warnings.map((text) => el("p", { class: "warn" }, text)),
    one.steps.length ? el("p", {}, "Move to ", el("b", {}, one.move_to), `. ${one.about}`) : el("p", {}, `Would be moved to ${one.move_to}.`),
    el("details", { class: "more" }, el("summary", {}, "Evidence, networks, owner"),
      el("dl", { class: "pairs" }, pair("why", joined(one.evidence, "; ")), pair("from", joined(one.networks, "; ")), pair("key in", joined(one.credential_sources, ", ")), pair("hints", joined(one.owner_hints, "; ")), pair("role", one.role_name, true)),
      one.trust_policy ? command(`${one.trust_policy.join("\n")}\n`) : ""),
    one.steps.length ? steps(one.steps) : "");
}

// The details of keys, as soon as they are unpacked.
let DATA = null;
async function unpacked() {
  const block = $("plan-data");
  if (block.type === "application/json") return JSON.parse(block.textContent);
  const bytes = Uint8Array.from(atob(block.textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

// The details of a key are built when it is opened.
function build(key) {
  if (!DATA || key.dataset.built) return;
  key.dataset.built = "yes";
  const of = DATA.keys[Number(key.dataset.key) - 1];
  const part = document.createDocumentFragment();
  const used = of.last_used ? `Last used ${of.last_used.replace("T", " ").replace("Z", "")}.` : "No known use.";
  part.append(...[
    el("p", { class: "hint" }, used, of.key ? ` Key ${of.key} of the credential report.` : ""),
    of.why.length ? [el("h3", {}, "Reasons against removing it"), listed(of.why)] : [],
    of.not_checked.length ? el("details", { class: "more" }, el("summary", {}, `Not checked (${of.not_checked.length})`), listed(of.not_checked)) : [],
    of.first.length ? [el("h3", {}, "First"), steps(of.first)] : [],
    of.consumers.map(consumer),
    of.steps.length ? [el("h3", {}, "The key itself"), steps(of.steps)] : [],
  ].flat());
  bring(part);
  key.append(part);
}

// What is to be done if something goes wrong is no part of the work.
const common = () => all("input[data-step]").filter((box) => !box.closest(".back") && !box.closest(".key")).map((box) => box.dataset.step);
const COMMON = common();
let keyBoxes = [];
function begin() {
  keyBoxes = all(".key").map((key) => {
    const of = DATA.keys[Number(key.dataset.key) - 1];
    const work = [of.first, of.steps, ...of.consumers.map((one) => one.steps)].flat().filter((step) => step.kind !== "back");
    return { key, ids: work.map((step) => step.id) };
  });
  for (const one of keys) one.text += ` ${DATA.keys[Number(one.key.dataset.key) - 1].consumers.map((of) => of.name).join(" ").toLowerCase()}`;
  for (const { key } of keys) {
    key.addEventListener("toggle", () => { if (key.open) build(key); });
    if (DATA.open) key.open = true;
    if (key.open) build(key);
  }
}
function count() {
  const ticked = kept();
  const done = (ids) => ids.filter((id) => ticked.has(id)).length;
  let sum = done(COMMON), of = COMMON.length;
  for (const { key, ids } of keyBoxes) {
    const own = done(ids);
    sum += own;
    of += ids.length;
    key.querySelector(".done").textContent = ids.length ? `${own}/${ids.length}` : "";
  }
  $("progress").textContent = `${sum} of ${of} steps done`;
}
function mark() {
  const ticked = kept();
  for (const box of all("input[data-step]")) box.checked = ticked.has(box.dataset.step);
  count();
}
const known = () => new Set([...COMMON, ...keyBoxes.flatMap(({ ids }) => ids), ...all("input[data-step]").map((box) => box.dataset.step)]);
$("forget").addEventListener("click", () => {
  const now = kept();
  for (const id of known()) now.delete(id);
  keep(now);
  mark();
});

// Ticks for others: a file of ids, which another copy of the page adds to its own.
$("export").addEventListener("click", () => {
  const text = JSON.stringify({ [STORE]: [...kept()].sort() }, null, 1);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "keytrail-ticks.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
$("import").addEventListener("change", async () => {
  const file = $("import").files[0];
  $("import").value = "";
  if (!file) return;
  let found = [];
  try { found = ids_(JSON.parse(await file.text())[STORE]); } catch { /* said below */ }
  keep(new Set([...kept(), ...found]));
  mark();
  $("count").textContent = found.length ? `${found.length} check marks imported` : "no check marks in that file";
});

// The filter looks at what stands in the order's row and in the names of consumers.
const keys = all(".key").map((key) => ({
  key,
  row: document.querySelector(`tr[data-key="${key.dataset.key}"]`),
  text: [document.querySelector(`tr[data-key="${key.dataset.key}"]`).textContent, key.querySelector("summary").textContent].join(" ").toLowerCase(),
}));
function filter() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { key, row, text } of keys) {
    const fits = words.every((word) => text.includes(word));
    key.hidden = row.hidden = !fits;
    shown += fits;
  }
  for (const group of all("h2.group")) {
    let next = group.nextElementSibling;
    while (next && next.matches(".key") && next.hidden) next = next.nextElementSibling;
    group.hidden = !(next && next.matches(".key"));
  }
  $("count").textContent = shown === keys.length ? `${shown} ${shown === 1 ? "key" : "keys"}` : `${shown} of ${keys.length} keys`;
}
let waiting;
$("filter").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
$("unfold").addEventListener("click", () => {
  const open = keys.some(({ key }) => !key.open && !key.hidden);
  for (const { key } of keys) if (!key.hidden) key.open = open;
  $("unfold").textContent = open ? "fold all" : "unfold all";
});

// A link to a key opens it.
function follow() {
  const key = /^#key-\d+$/.test(location.hash) && document.querySelector(location.hash);
  if (key) { build(key); key.open = true; key.scrollIntoView(); }
}
addEventListener("hashchange", follow);

// Paper cannot be unfolded.
let folded = [];
addEventListener("beforeprint", () => { for (const { key } of keys) build(key); folded = all("details:not([open])"); for (const one of folded) one.open = true; });
addEventListener("afterprint", () => { for (const one of folded) one.open = false; });

// What a day of a strip says.
function tell(strip) {
  const first = Date.parse(strip.parentElement.querySelector("figcaption span").textContent);
  const tip = strip.parentElement.querySelector(".tip");
  let days = null;
  strip.addEventListener("pointermove", (event) => {
    days ||= new Map(strip.dataset.days.split(" ").filter(Boolean).map((day) => day.split(":").map(Number)).map(([at, calls, failed]) => [at, [calls, failed]]));
    const at = Math.floor((event.offsetX / strip.clientWidth) * strip.viewBox.baseVal.width);
    const [calls, failed] = days.get(at) || [0, 0];
    tip.textContent = `${new Date(first + at * 864e5).toISOString().slice(0, 10)}: ${calls} calls${failed ? `, ${failed} failed` : ""}`;
  });
  strip.addEventListener("pointerleave", () => { tip.textContent = ""; });
}

// Each command can be copied.
function copied(pre) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "copy";
  button.setAttribute("aria-label", "Copy the command");
  const say = (text) => { button.textContent = text; setTimeout(() => { button.textContent = "copy"; }, 1500); };
  button.addEventListener("click", () => {
    const select = () => { getSelection().selectAllChildren(pre); say("selected"); };
    if (navigator.clipboard) navigator.clipboard.writeText(pre.textContent).then(() => say("copied"), select); else select();
  });
  const place = document.createElement("div");
  place.className = "command";
  pre.replaceWith(place);
  place.append(pre, button);
}

bring(document);
unpacked().then((data) => {
  DATA = data;
  begin();
  $("tools").hidden = false;
  count();
  filter();
  follow();
  document.documentElement.dataset.ready = "yes";
}, () => { $("broken").hidden = false; });
