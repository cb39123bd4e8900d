// The lineage as a graph: accounts are boxes, credentials are nodes. Many alike children of one parent are one node.
const MANY = 8;
const MOST = 1500;

// Parents by position: credentials come as a walk of the tree, so the last one a step up is the parent.
const PARENTS = (() => {
  const path = [];
  return TRACE.credentials.map((of, at) => {
    path.length = of.depth;
    const parent = of.depth ? path[of.depth - 1] : undefined;
    path[of.depth] = at;
    return parent === undefined ? null : parent;
  });
})();

function label(of) {
  const key = of.access_key_id ? `${of.access_key_id.slice(0, 4)}…${of.access_key_id.slice(-4)}` : "console";
  const who = name(of.principal_arn).replace(/^(assumed-role|federated-user|user)\//, "");
  return `${short(who, 40)}\n${key}`;
}

// Whether somebody else than the owner is behind a credential, or behind one that came out of it.
const STRANGERS = (() => {
  const found = TRACE.credentials.map((of) => of.used_by !== "owner");
  for (let at = found.length - 1; at >= 0; at--) if (found[at] && PARENTS[at] !== null) found[PARENTS[at]] = true;
  return found;
})();

function elements(unfold) {
  const children = new Map();
  PARENTS.forEach((parent, at) => { if (parent !== null) children.set(parent, (children.get(parent) || []).concat(at)); });
  const folded = new Map();
  if (!unfold) {
    for (const [parent, list] of children) {
      const alike = new Map();
      for (const at of list) {
        if (children.has(at)) continue;
        const of = TRACE.credentials[at];
        const key = JSON.stringify([of.rule, of.account_id, of.used_by, (of.principal_arn || "").split("/").slice(0, 2).join("/")]);
        alike.set(key, (alike.get(key) || []).concat(at));
      }
      for (const group of alike.values()) if (group.length > MANY) group.forEach((at) => folded.set(at, { parent, group }));
    }
  }
  const nodes = [], edges = [], accounts = new Set(), seen = new Set();
  let left = 0;
  const owners = [];
  // Of a view that is not of all, the others' credentials are one node beside the start.
  const isApart = (at) => VIEW.who !== "all" && PARENTS[at] !== null && (VIEW.who === "intruder" ? !STRANGERS[at] : TRACE.credentials[at].used_by !== "owner" && TRACE.credentials[at].used_by !== "both");
  TRACE.credentials.forEach((of, at) => {
    if (isApart(at)) { owners.push(at); return; }
    if (nodes.length >= MOST) { left++; return; }
    const fold = folded.get(at);
    if (fold && fold.group[0] !== at) return;
    const account = of.account_id || "unknown account";
    accounts.add(account);
    nodes.push({ data: { id: `c${at}`, at, group: fold ? fold.group : null, parent: `a${account}`, label: fold ? `${label(of).split("\n")[0]}\n× ${fold.group.length}` : label(of) },
      classes: `${ORIGINS.includes(of.used_by) ? of.used_by : "unknown"} ${of.kind === "long-term" ? "key" : of.kind === "console" ? "console" : "session"}` });
    seen.add(at);
    const parent = PARENTS[at];
    if (parent !== null && seen.has(parent)) edges.push({ data: { id: `e${at}`, source: `c${parent}`, target: `c${at}`, label: of.issued_by_event_name || of.rule }, classes: of.confidence });
  });
  if (owners.length && seen.size) {
    const account = TRACE.credentials[0].account_id || "unknown account";
    const whose = VIEW.who === "intruder" ? "owner" : "intruder or unknown";
    nodes.push({ data: { id: "others", group: owners, parent: `a${account}`, label: `${whose}\n${owners.length} ${owners.length === 1 ? "credential" : "credentials"}` }, classes: `${VIEW.who === "intruder" ? "owner" : "intruder"} key` });
    edges.push({ data: { id: "eothers", source: "c0", target: "others", label: "" }, classes: "session" });
  }
  for (const account of accounts) nodes.unshift({ data: { id: `a${account}`, label: account }, classes: "account" });
  return { nodes, edges, left, folded: folded.size };
}

function graphStyle() {
  const fg = color("fg"), line = color("soft");
  return [
    { selector: "node", style: { label: "data(label)", color: fg, "font-size": 12, "text-wrap": "wrap", "text-valign": "bottom", "text-margin-y": 5, width: 22, height: 22, "background-color": color("unknown"), "text-max-width": 190 } },
    { selector: "node.key", style: { shape: "round-rectangle", width: 30 } },
    { selector: "node.console", style: { shape: "diamond", width: 26, height: 26 } },
    { selector: "node.intruder", style: { "background-color": color("intruder") } },
    { selector: "node.owner", style: { "background-color": color("owner") } },
    { selector: "node.suspicious", style: { "background-color": color("medium") } },
    { selector: "node.both", style: { "background-fill": "linear-gradient", "background-gradient-direction": "to-right", "background-gradient-stop-colors": [color("intruder"), color("owner")], "background-gradient-stop-positions": [50, 50] } },
    { selector: "node.account", style: { shape: "round-rectangle", "background-color": color("hover"), "background-opacity": 0.55, "border-color": color("line"), "border-width": 1, "text-valign": "top", "text-margin-y": -4, "font-size": 13, "font-weight": "bold", padding: 22 } },
    { selector: "edge", style: { width: 1.6, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle", "curve-style": "bezier", label: "data(label)", "font-size": 11, color: color("soft"), "text-wrap": "ellipsis", "text-max-width": 120, "target-text-margin-y": -8, "text-background-color": color("card"), "text-background-opacity": 1, "text-background-padding": 2, "arrow-scale": 0.9 } },
    { selector: "edge.session", style: { "line-style": "dashed" } },
    { selector: "edge.principal", style: { "line-style": "dotted" } },
    { selector: "node:selected", style: { "border-width": 3, "border-color": color("accent") } },
  ];
}

const READABLE = 0.7;

function drawGraph() {
  const tools = document.getElementById("lineage-tools");
  let cy = null, whole = null, full = null;
  // All of it, where its labels can still be read.
  const open = () => { whole(); if (cy.zoom() > 1 || cy.zoom() < READABLE) full(); };
  const screen_ = () => { const section = document.getElementById("lineage"); if (document.fullscreenElement) document.exitFullscreen(); else if (section.requestFullscreen) section.requestFullscreen(); };
  const draw = (unfold) => {
    const made = elements(unfold);
    if (cy) cy.destroy();
    cy = cytoscape({ container: document.getElementById("graph"), elements: { nodes: made.nodes, edges: made.edges }, style: graphStyle(), minZoom: 0.05, maxZoom: 4,
      layout: { name: "dagre", rankDir: "LR", nodeSep: 62, rankSep: 210, fit: false, animate: false } });
    // As large as it is drawn, so that labels can be read; what does not fit is reached by dragging. The start stands at the left.
    const box = cy.elements().boundingBox();
    const host = document.getElementById("graph");
    if (!document.fullscreenElement) host.style.height = `${Math.round(Math.min(Math.max(box.h + 60, 200), innerHeight * 0.75))}px`;
    cy.resize();
    whole = () => cy.fit(undefined, 24);
    full = () => {
      cy.zoom(1);
      const start = cy.getElementById("c0").renderedPosition();
      const spare = cy.height() - box.h;
      cy.panBy({ x: 110 - start.x, y: spare > 0 ? spare / 2 - cy.elements().renderedBoundingBox().y1 : cy.height() / 2 - start.y });
    };
    open();
    cy.on("tap", "node", ({ target }) => {
      const { at, group } = target.data();
      if (group) openCredentials(group); else if (at !== undefined) openCredential(at);
    });
    const say = [];
    if (made.folded) say.push(`${made.folded} similar sessions are grouped`);
    if (made.left) say.push(`${made.left} more credentials are in the table only`);
    tools.replaceChildren(
      el("button", { type: "button", on: { click: () => full() } }, "100 %"),
      el("button", { type: "button", on: { click: () => whole() } }, "fit"),
      el("button", { type: "button", on: { click: screen_ } }, "full screen"),
      el("button", { type: "button", on: { click: () => cy.zoom({ level: cy.zoom() * 1.3, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }) } }, "+"),
      el("button", { type: "button", on: { click: () => cy.zoom({ level: cy.zoom() / 1.3, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }) } }, "−"),
      made.folded || unfold ? el("button", { type: "button", "aria-pressed": String(unfold), on: { click: () => draw(!unfold) } }, "all sessions") : "",
      el("span", { class: "origin intruder" }, "● intruder"), el("span", { class: "origin both" }, "◐ both"), el("span", { class: "origin suspicious" }, "● suspicious"), el("span", { class: "origin owner" }, "● owner"), el("span", { class: "origin unknown" }, "● unknown"),
      el("span", { class: "soft" }, say.join("; ")));
  };
  if (!TRACE.credentials.length) { document.getElementById("graph").hidden = true; return; }
  draw(false);
  VIEW.changed.push(() => draw(false));
  document.addEventListener("fullscreenchange", () => { cy.resize(); open(); });
  repaints.push(() => cy.style(graphStyle()));
}

function openCredentials(list) {
  const host = el("div", { id: "drawer-table" });
  show(el("h3", {}, `${list.length} sessions`), host);
  const table = new Table("drawer-table", { label: "sessions", rows: list, opened: openCredential, columns: CREDENTIAL_COLUMNS.slice(0, 5) });
  TABLES.splice(TABLES.indexOf(table), 1);
}
