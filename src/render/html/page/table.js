// Tables of any length: only the rows in view are in the page. Sort by a click on the head, filter by words.
const ROW = 30;
const PRINTED = 3000;
const TABLES = [];

// columns: { label, value(row), show?(row) → node, num?, width }; rows: anything; opened(row): a click.
class Table {
  constructor(place, { columns, rows, opened, label, empty, origin }) {
    // Rows whose origin is known follow the page's switch.
    this.origin = origin;
    this.columns = columns; this.all = rows; this.opened = opened;
    this.sorted = null; this.down = false; this.words = []; this.only = null; this.texts = new Map();
    this.search = el("input", { type: "search", placeholder: "filter", "aria-label": `Filter ${label}`, on: { input: () => this.type() } });
    this.count = el("span", { class: "soft", "aria-live": "polite" });
    this.head = el("tr");
    columns.forEach((column, at) => {
      const button = el("button", { type: "button", on: { click: () => this.sort(at) } }, column.label);
      const th = el("th", { scope: "col" }, button);
      th.style.width = column.width || "10rem";
      this.head.append(th);
    });
    this.body = el("tbody");
    const grid = el("table", { class: "grid", "aria-label": label }, el("thead", {}, this.head), this.body);
    grid.style.minWidth = columns.map((column) => column.width || "10rem").reduce((sum, width) => sum + parseFloat(width), 0) + "rem";
    this.scroll = el("div", { class: "scroll", tabindex: 0, on: { scroll: () => this.draw() } }, grid);
    const host = document.getElementById(place);
    host.replaceChildren(el("div", { class: "tools" }, this.search, this.count), this.scroll);
    if (!rows.length) host.replaceChildren(el("p", { class: "soft" }, empty || "none"));
    this.rows = rows;
    TABLES.push(this);
    this.refresh();
  }

  type() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
      this.refresh();
    }, 150);
  }

  // Shows only rows for which this holds; null shows all.
  restrict(only) { this.only = only; this.refresh(); }

  find(text) { this.search.value = text; this.words = text.toLowerCase().split(/\s+/).filter(Boolean); this.refresh(); }

  sort(at) {
    this.down = this.sorted === at ? !this.down : false;
    this.sorted = at;
    [...this.head.children].forEach((th, n) => th.setAttribute("aria-sort", n === at ? (this.down ? "descending" : "ascending") : "none"));
    this.refresh();
  }

  textOf(row) {
    let text = this.texts.get(row);
    if (text === undefined) {
      text = this.columns.map((column) => column.value(row)).filter((value) => value !== null && value !== undefined).join(" ").toLowerCase();
      this.texts.set(row, text);
    }
    return text;
  }

  refresh() {
    let rows = this.all;
    if (this.origin) rows = rows.filter((row) => isShown(this.origin(row)));
    if (this.only) rows = rows.filter(this.only);
    if (this.words.length) rows = rows.filter((row) => { const text = this.textOf(row); return this.words.every((word) => text.includes(word)); });
    if (this.sorted !== null) {
      const { value } = this.columns[this.sorted];
      const sign = this.down ? -1 : 1;
      const keyed = rows.map((row, at) => [value(row), at, row]);
      keyed.sort(([a, i], [b, j]) => {
        const empty = (x) => x === null || x === undefined || x === "";
        if (empty(a) || empty(b)) return empty(a) - empty(b) || i - j;
        return sign * (typeof a === "number" && typeof b === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0) || i - j;
      });
      rows = keyed.map(([, , row]) => row);
    }
    this.rows = rows;
    this.count.textContent = rows.length === this.all.length ? `${rows.length} rows` : `${rows.length} of ${this.all.length} rows`;
    this.scroll.scrollTop = 0;
    this.draw(true);
  }

  draw(again) {
    const from = Math.max(0, Math.floor(this.scroll.scrollTop / ROW) - 10);
    const to = Math.min(this.rows.length, from + Math.ceil((this.scroll.clientHeight || 600) / ROW) + 20);
    if (!again && this.from === from && this.to === to) return;
    this.from = from; this.to = to;
    this.fill(from, to);
  }

  fill(from, to) {
    const space = (rows) => { const tr = el("tr", { "aria-hidden": "true" }, el("td", { colspan: this.columns.length })); tr.firstChild.style.cssText = `height:${rows * ROW}px;padding:0;border:0`; return tr; };
    const made = [];
    if (from) made.push(space(from));
    for (let at = from; at < to; at++) made.push(this.line(this.rows[at]));
    if (to < this.rows.length) made.push(space(this.rows.length - to));
    this.body.replaceChildren(...made);
  }

  line(row) {
    const cells = this.columns.map((column) => {
      const value = column.value(row);
      return el("td", { class: column.num ? "num" : null, title: column.num ? null : short(value, 1000) }, column.show ? column.show(row) : short(value));
    });
    const open = () => this.opened && this.opened(row);
    const key = (event) => { if (event.key === "Enter") open(); };
    return el("tr", { class: this.opened ? "row" : null, tabindex: this.opened ? 0 : null, on: { click: open, keydown: key } }, ...cells);
  }
}

// Paper has no scroll bar: everything is laid out, and what is too much is said.
function layOut() {
  for (const table of TABLES) {
    if (!table.rows.length) continue;
    table.fill(0, Math.min(table.rows.length, PRINTED));
    if (table.rows.length > PRINTED) {
      table.body.lastChild.remove();
      table.body.append(el("tr", {}, el("td", { colspan: table.columns.length }, `… and ${table.rows.length - PRINTED} more rows: filter before printing, or use keytrail's csv`)));
    }
  }
}
addEventListener("beforeprint", layOut);
addEventListener("afterprint", () => TABLES.forEach((table) => table.draw(true)));

const severity = (value) => el("span", { class: `sev ${SEVERITIES.includes(value) ? value : "info"}` }, value || "");
const ORIGINS = ["intruder", "both", "suspicious", "owner"];
const origin = (value) => el("span", { class: `origin ${ORIGINS.includes(value) ? value : "unknown"}` }, value || "");
const rank = (value) => (value ? SEVERITIES.length - SEVERITIES.indexOf(value) : null);
