// Ticks, a filter, and what a day of a strip says. Everything to read is in the page already.
const all = (query, of = document) => [...of.querySelectorAll(query)];
const $ = (id) => document.getElementById(id);
const boxes = all("input[data-step]");
const STORE = "keytrail-plan-steps";

// Only ids of steps are kept, and only those of this page are read back. A browser that keeps nothing is no reason to fail.
function kept() {
  try { return new Set(JSON.parse(localStorage.getItem(STORE) || "[]").filter((id) => typeof id === "string" && /^[0-9a-f]{16}$/.test(id))); } catch { return new Set(); }
}
function keep(ids) {
  try { localStorage.setItem(STORE, JSON.stringify([...ids].sort())); } catch { /* ticks last as long as the page is open */ }
}
const ticked = kept();
for (const box of boxes) {
  box.checked = ticked.has(box.dataset.step);
  box.addEventListener("change", () => {
    const now = kept();
    if (box.checked) now.add(box.dataset.step); else now.delete(box.dataset.step);
    keep(now);
    count();
  });
}
// What is to be done if something goes wrong is no part of the work.
const counts = (of) => of.filter((box) => !box.closest(".back"));
function count() {
  const work = counts(boxes);
  $("progress").textContent = `${work.filter((box) => box.checked).length} of ${work.length} steps done`;
  for (const key of all(".key")) {
    const own = counts(all("input[data-step]", key));
    const done = own.filter((box) => box.checked).length;
    key.querySelector(".done").textContent = own.length ? `${done}/${own.length}` : "";
  }
}
$("forget").addEventListener("click", () => {
  const now = kept();
  for (const box of boxes) { box.checked = false; now.delete(box.dataset.step); }
  keep(now);
  count();
});

// The filter looks at what stands in the order's row and in the names of consumers.
const keys = all(".key").map((key) => ({
  key,
  row: document.querySelector(`tr[data-key="${key.dataset.key}"]`),
  text: [document.querySelector(`tr[data-key="${key.dataset.key}"]`).textContent, key.querySelector("summary").textContent, ...all(".consumer h3", key).map((name) => name.textContent)].join(" ").toLowerCase(),
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
  if (key) { key.open = true; key.scrollIntoView(); }
}
addEventListener("hashchange", follow);

// Paper cannot be unfolded.
let folded = [];
addEventListener("beforeprint", () => { folded = all("details:not([open])"); for (const one of folded) one.open = true; });
addEventListener("afterprint", () => { for (const one of folded) one.open = false; });

// What a day of a strip says.
const first = Date.parse(document.querySelector("figcaption span")?.textContent || "");
for (const strip of all(".strip")) {
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
for (const pre of all(".step pre")) {
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

$("tools").hidden = false;
count();
filter();
follow();
document.documentElement.dataset.ready = "yes";
