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
  const who = name(of.principal_arn).replace("assumed-role/", "").replace("user/", "").replace("federated-user/", "");
  return `${short(who, 40)}\n${key}`;
}

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
  TRACE.credentials.forEach((of, at) => {
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
  for (const account of accounts) nodes.unshift({ data: { id: `a${account}`, label: account }, classes: "account" });
  return { nodes, edges, left, folded: folded.size };
}

function graphStyle() {
  const fg = color("fg"), line = color("soft");
  return [
    { selector: "node", style: { label: "data(label)", color: fg, "font-size": 11, "text-wrap": "wrap", "text-valign": "bottom", "text-margin-y": 4, width: 22, height: 22, "background-color": color("unknown"), "text-max-width": 150 } },
    { selector: "node.key", style: { shape: "round-rectangle", width: 30 } },
    { selector: "node.console", style: { shape: "diamond", width: 26, height: 26 } },
    { selector: "node.intruder", style: { "background-color": color("intruder") } },
    { selector: "node.owner", style: { "background-color": color("owner") } },
    { selector: "node.suspicious", style: { "background-color": color("medium") } },
    { selector: "node.both", style: { "background-fill": "linear-gradient", "background-gradient-direction": "to-right", "background-gradient-stop-colors": [color("intruder"), color("owner")], "background-gradient-stop-positions": [50, 50] } },
    { selector: "node.account", style: { shape: "round-rectangle", "background-color": color("hover"), "background-opacity": 0.55, "border-color": color("line"), "border-width": 1, "text-valign": "top", "font-size": 13, "font-weight": "bold", padding: 18 } },
    { selector: "edge", style: { width: 1.6, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle", "curve-style": "bezier", label: "data(label)", "font-size": 9, color: color("soft"), "text-rotation": "autorotate", "text-background-color": color("card"), "text-background-opacity": 1, "text-background-padding": 2, "arrow-scale": 0.9 } },
    { selector: "edge.session", style: { "line-style": "dashed" } },
    { selector: "edge.principal", style: { "line-style": "dotted" } },
    { selector: "node:selected", style: { "border-width": 3, "border-color": color("accent") } },
  ];
}

function drawGraph() {
  const tools = document.getElementById("lineage-tools");
  let cy = null;
  const draw = (unfold) => {
    const made = elements(unfold);
    if (cy) cy.destroy();
    cy = cytoscape({ container: document.getElementById("graph"), elements: { nodes: made.nodes, edges: made.edges }, style: graphStyle(), minZoom: 0.05, maxZoom: 4,
      layout: { name: "dagre", rankDir: innerWidth < 700 ? "TB" : "LR", nodeSep: 34, rankSep: 110, fit: true, padding: 24, animate: false } });
    if (cy.zoom() > 1.3) { cy.zoom(1.3); cy.center(); }
    cy.on("tap", "node", ({ target }) => {
      const { at, group } = target.data();
      if (group) openCredentials(group); else if (at !== undefined) openCredential(at);
    });
    const say = [];
    if (made.folded) say.push(`${made.folded} alike sessions are drawn as one node each kind`);
    if (made.left) say.push(`${made.left} credentials are in the table only`);
    tools.replaceChildren(
      el("button", { type: "button", on: { click: () => cy.fit(undefined, 24) } }, "fit"),
      el("button", { type: "button", on: { click: () => cy.zoom({ level: cy.zoom() * 1.3, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }) } }, "+"),
      el("button", { type: "button", on: { click: () => cy.zoom({ level: cy.zoom() / 1.3, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }) } }, "−"),
      made.folded || unfold ? el("button", { type: "button", "aria-pressed": String(unfold), on: { click: () => draw(!unfold) } }, "all sessions") : "",
      el("span", { class: "origin intruder" }, "● intruder"), el("span", { class: "origin both" }, "◐ both"), el("span", { class: "origin suspicious" }, "● suspicious"), el("span", { class: "origin owner" }, "● owner"), el("span", { class: "origin unknown" }, "● unknown"),
      el("span", { class: "soft" }, say.join("; ")));
  };
  if (!TRACE.credentials.length) { document.getElementById("graph").hidden = true; return; }
  draw(false);
  repaints.push(() => cy.style(graphStyle()));
}

function openCredentials(list) {
  const host = el("div", { id: "drawer-table" });
  show(el("h3", {}, `${list.length} sessions`), host);
  const table = new Table("drawer-table", { label: "sessions", rows: list, opened: openCredential, columns: CREDENTIAL_COLUMNS.slice(0, 5) });
  TABLES.splice(TABLES.indexOf(table), 1);
}
