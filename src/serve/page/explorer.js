"use strict";
// The explorer works without this script: it adds the keyboard, charts, and answers that come later.
(() => {
  const $ = (of, all) => [...(all || document).querySelectorAll(of)];
  const loading = new Set();

  // On a phone the rows come first.
  if (matchMedia("(max-width: 40rem)").matches) $(".facets details").forEach((facet) => { facet.open = false; });

  // Events per day as bars; days that are dragged over become the range of time of the page.
  function draw(host) {
    const table = host.parentElement.querySelector("table");
    if (!table || typeof uPlot === "undefined") { host.remove(); return; }
    const names = $("thead th", table).map((head) => head.textContent.trim().split(" ")[0]);
    const at = (name) => names.indexOf(name);
    const rows = $("tbody tr", table).map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
    const days = rows.map((row) => [Date.parse(row[at("day")] + "T00:00:00Z") / 1000, Number(row[at("events")]), Number(row[at("errors")] || 0)]);
    days.sort((a, b) => a[0] - b[0]);
    if (!days.length || days.some((day) => Number.isNaN(day[0]))) { host.remove(); return; }
    const style = getComputedStyle(document.documentElement), color = (name) => style.getPropertyValue("--" + name).trim();
    const bars = uPlot.paths.bars({ size: [0.8, 40, 2] });
    const axis = { stroke: color("soft"), grid: { stroke: color("line"), width: 1 }, ticks: { show: false } };
    const half = 43200, first = days[0][0] - half, last = days[days.length - 1][0] + 3 * half;
    const plot = new uPlot({
      width: Math.max(240, host.clientWidth - 12), height: 158, legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { x: { range: [first, last] }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] } },
      cursor: { drag: { x: true, y: false, setScale: false }, y: false },
      axes: [{ ...axis, values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toISOString().slice(0, 10)), space: 90 }, { ...axis, size: 56 }],
      series: [{}, { label: "events", stroke: color("accent"), fill: color("accent"), paths: bars, points: { show: false } }, { label: "errors", stroke: color("high"), fill: color("high"), paths: bars, points: { show: false } }],
      hooks: { setSelect: [(of) => {
        if (of.select.width < 3) return;
        const day = (left) => new Date(of.posToVal(left, "x") * 1000).toISOString().slice(0, 10);
        const place = new URL(location.href);
        place.searchParams.set("since", day(of.select.left));
        place.searchParams.set("until", day(of.select.left + of.select.width));
        location.assign(place);
      }] },
    }, [days.map((day) => day[0]), days.map((day) => day[1]), days.map((day) => day[2])], host);
    addEventListener("resize", () => plot.setSize({ width: Math.max(240, host.clientWidth - 12), height: 158 }));
  }

  // A part of the page, made by the server: its values are escaped there.
  async function load(panel) {
    const wait = panel.querySelector(".wait"), stop = new AbortController();
    loading.add(stop);
    wait.textContent = "running … (Esc stops)";
    try {
      const answer = await fetch(panel.dataset.part, { signal: stop.signal, credentials: "same-origin" });
      const made = document.createElement("div");
      made.innerHTML = await answer.text();
      wait.replaceWith(made);
      $(".days", made).forEach(draw);
    } catch (error) {
      wait.textContent = error.name === "AbortError" ? "stopped" : "no answer: " + error.message;
    } finally { loading.delete(stop); }
  }

  // Panels are asked when they come into view: what nobody looks at costs nothing.
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting) { seen.unobserve(entry.target); load(entry.target); }
  }), { rootMargin: "200px" });

  // Names to complete in a statement: tables, columns of events, functions. They are asked when the field is first used.
  function completes(field) {
    const list = document.createElement("ul");
    list.id = "names";
    list.className = "names";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Matching names");
    field.after(list);
    for (const [name, value] of [["aria-autocomplete", "list"], ["aria-controls", "names"]]) field.setAttribute(name, value);
    let names = null, fits = [], chosen = 0;
    const asked = async (path, section, column, kind) => {
      const answer = await fetch(path, { credentials: "same-origin" });
      const rows = (await answer.json())[section] || [];
      return rows.map((row) => ({ name: row[column], kind })).filter((of) => of.name);
    };
    async function all() {
      const parts = [asked("/tables.json", "rows", "table_name", "table"), asked("/columns.json", "columns", "column", "column"), asked("/sql.json?sql=SHOW+FUNCTIONS", "rows", "function_name", "function")];
      const found = (await Promise.allSettled(parts)).flatMap((part) => part.value || []);
      // The short ones first: `even` is more likely to be events than event_data_store.
      return [...new Map(found.map((of) => [of.name, of])).values()].sort((a, b) => a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
    }
    const word = () => /[a-z_][a-z0-9_]*$/i.exec(field.value.slice(0, field.selectionStart));
    function close() { list.hidden = true; field.removeAttribute("aria-activedescendant"); }
    function show() {
      list.replaceChildren(...fits.map((of, n) => {
        const item = document.createElement("li"), kind = document.createElement("small");
        item.id = "name-" + n;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(n === chosen));
        kind.textContent = " " + of.kind;
        item.append(of.name, kind);
        item.addEventListener("mousedown", (event) => { event.preventDefault(); chosen = n; take(); });
        return item;
      }));
      list.hidden = !fits.length;
      if (fits.length) field.setAttribute("aria-activedescendant", "name-" + chosen); else close();
    }
    function take() {
      const begun = word();
      if (begun) field.setRangeText(fits[chosen].name, begun.index, field.selectionStart, "end");
      close();
      field.focus();
    }
    async function look() {
      names ||= all();
      const known = await names, begun = word(), text = begun ? begun[0].toLowerCase() : "";
      const begins = (of) => of.name.toLowerCase().startsWith(text);
      const inside = (of) => !begins(of) && of.name.toLowerCase().includes(text);
      fits = text.length < 2 ? [] : [...known.filter(begins), ...known.filter(inside)].slice(0, 8);
      if (fits.length === 1 && fits[0].name === text) fits = [];
      chosen = 0;
      show();
    }
    field.addEventListener("input", look);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (list.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by) { chosen = (chosen + by + fits.length) % fits.length; show(); } else if (event.key === "Tab") take(); else if (event.key === "Escape") close(); else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  // The drawer: a page beside this one, which keeps its place. The address says which, so that it can be sent and gone back to.
  const drawer = document.getElementById("drawer"), inside = drawer.querySelector(".inside"), whole = drawer.querySelector(".whole");
  const MARK = "#beside=", BESIDE = ["/event", "/address", "/role", "/resource", "/find", "/key"], LISTS = ["/keys", "/suspicious", "/ready", "/"];
  const isBeside = (place) => place.origin === location.origin && BESIDE.includes(place.pathname) && !(place.pathname === "/key" && LISTS.includes(location.pathname));
  async function fill(href, options) {
    const stop = new AbortController();
    loading.forEach((of) => of.panel === inside && of.abort());
    stop.panel = inside;
    loading.add(stop);
    inside.replaceChildren("asking … (Esc closes)");
    if (!drawer.open) drawer.showModal();
    try {
      const answer = await fetch(href, { credentials: "same-origin", signal: stop.signal, ...options });
      const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (!made) throw new Error(String(answer.status));
      $(".own", made).forEach((of) => of.remove());
      // Names of elements are the page's: those of the drawer are others.
      $("[id]", made).forEach((of) => { of.id = "d-" + of.id; });
      for (const name of ["for", "aria-describedby", "aria-labelledby"]) $("[" + name + "]", made).forEach((of) => of.setAttribute(name, "d-" + of.getAttribute(name)));
      const title = document.createElement("h2"), first = made.querySelector("h1");
      title.textContent = first.textContent;
      title.id = "d-title";
      first.replaceWith(title);
      whole.href = answer.url;
      inside.replaceChildren(...made.childNodes);
      drawer.scrollTop = 0;
      at = -1;
      ready(inside);
    } catch (error) {
      if (error.name !== "AbortError") inside.replaceChildren("no answer: " + error.message);
    } finally { loading.delete(stop); }
  }
  function follows() {
    const href = location.hash.startsWith(MARK) ? decodeURIComponent(location.hash.slice(MARK.length)) : "";
    const place = href && new URL(href, location.origin);
    if (place && isBeside(place)) fill(place.href); else if (drawer.open) drawer.close();
  }
  const beside = (place) => { location.hash = MARK + encodeURIComponent(place.pathname + place.search); };
  drawer.addEventListener("close", () => {
    loading.forEach((of) => of.panel === inside && of.abort());
    inside.replaceChildren();
    if (location.hash.startsWith(MARK)) history.replaceState(null, "", location.pathname + location.search);
    at = -1;
  });
  drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });
  drawer.querySelector(".close").addEventListener("click", () => drawer.close());
  addEventListener("hashchange", follows);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link === whole) return;
    const within = inside.contains(link), place = new URL(link.href);
    // Beside the page go values; what leads through a table stays with the table.
    if (!isBeside(place) || !(within || link.closest("td, dd, .noted"))) return;
    event.preventDefault();
    beside(place);
  });
  inside.addEventListener("submit", (event) => {
    const form = event.target, values = new URLSearchParams(new FormData(form));
    event.preventDefault();
    if (form.method === "post") fill(form.action, { method: "POST", body: values }); else beside(new URL(form.getAttribute("action") + "?" + values, location.origin));
  });

  let at = -1;
  function move(by) {
    const rows = $("tbody tr", drawer.open ? inside : document.getElementById("main")).filter((row) => row.closest("table.wide"));
    if (!rows.length) return;
    at = Math.max(0, Math.min(rows.length - 1, at + by));
    rows.forEach((row, n) => row.classList.toggle("on", n === at));
    rows[at].scrollIntoView({ block: "nearest" });
  }

  const help = document.getElementById("help");
  const focus = (id) => { const field = document.getElementById(id); if (field) { field.focus(); field.select(); } return Boolean(field); };
  const follow = (link) => { if (link) link.click(); return Boolean(link); };
  const keys = {
    "/": () => { if (drawer.open) drawer.close(); return focus("search"); },
    f: () => focus("filter"),
    "?": () => { help.open ? help.close() : help.showModal(); return true; },
    j: () => { move(1); return true; },
    k: () => { move(-1); return true; },
    n: () => follow((drawer.open ? inside : document).querySelector("a[rel=next]")),
    p: () => follow((drawer.open ? inside : document).querySelector("a[rel=prev]")),
    Enter: () => follow((drawer.open ? inside : document).querySelector("tr.on a")),
    Escape: () => { loading.forEach((stop) => stop.abort()); return false; },
    o: () => follow(drawer.open ? whole : null),
  };
  addEventListener("keydown", (event) => {
    const field = event.target.matches("input,textarea,select");
    if (field && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.target.form.requestSubmit(); return; }
    if (field && event.key === "Escape") { event.target.blur(); return; }
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const busy = event.key === "Enter" && event.target.matches("a,button,summary");
    if (!field && plain && !busy && keys[event.key] && keys[event.key]()) event.preventDefault();
  });
  document.getElementById("help-open").addEventListener("click", () => help.showModal());
  document.getElementById("help-close").addEventListener("click", () => help.close());

  // Empty fields say nothing: they are left out of the address.
  $("form").forEach((form) => form.addEventListener("submit", () => {
    $("input", form).forEach((field) => { if (!field.value.trim()) field.disabled = true; });
  }));
  addEventListener("pageshow", () => $("input:disabled").forEach((field) => { field.disabled = false; }));
  $("textarea[name=sql]").forEach(completes);
  $("main > #answer .days").forEach(draw);
  const ready = (of) => $(".panel", of).forEach((panel) => seen.observe(panel));
  ready(document);
  follows();
})();
