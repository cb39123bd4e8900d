// The timeline as a chart: time from left to right, one lane per tactic (or address, credential …), colour by severity.
const LANES = {
  tactic: { label: "tactic", of: tacticOf },
  address: { label: "address", of: (row) => get("source_ip_address", row) || "none" },
  credential: { label: "credential", of: (row) => { const of = TRACE.credentials[get("credential", row)]; return of ? title(of) : "others"; } },
  service: { label: "service", of: service },
  region: { label: "region", of: (row) => get("aws_region", row) || "none" },
  account: { label: "account", of: (row) => get("account_id", row) || "none" },
};
const MOST_LANES = 16;
// How times are written under the chart, by the distance of its lines: seconds, format, and what is added when the day changes.
const day_ = "\n{YYYY}-{MM}-{DD}";
const STAMPS = [[86400, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1], [3600, "{HH}:{mm}", null, null, day_, null, null, null, 1], [60, "{HH}:{mm}", null, null, day_, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, day_, null, null, null, 1], [0.001, "{HH}:{mm}:{ss}", null, null, day_, null, null, null, 1]];
const TACTICS = ["initial-access", "execution", "persistence", "privilege-escalation", "stealth", "defense-impairment", "credential-access", "discovery", "lateral-movement", "collection", "exfiltration", "impact", "resource-development", "other"];

// Lanes of most events first (tactics in the order of ATT&CK); what has no lane is one lane together.
function lanesOf(kind) {
  const counts = new Map();
  const of = LANES[kind].of;
  for (let row = 0; row < EVENTS.count; row++) { const lane = of(row); counts.set(lane, (counts.get(lane) || 0) + 1); }
  let names = [...counts.keys()];
  if (kind === "tactic") names.sort((a, b) => TACTICS.indexOf(a) - TACTICS.indexOf(b));
  else names.sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1));
  const more = names.length - MOST_LANES;
  if (more > 1) names = names.slice(0, MOST_LANES);
  const at = new Map(names.map((lane, n) => [lane, n]));
  if (more > 1) names.push(`${more} more`);
  return { names, at: (row) => { const found = at.get(of(row)); return found === undefined ? names.length - 1 : found; } };
}

// A point's height within its lane: scattered, but the same every time.
function scatter(row) {
  const mixed = Math.imul(row + 1, 2654435761) >>> 0;
  return (mixed / 4294967296 - 0.5) * 0.62;
}

// Moments that matter: the first suspicious use, and what others did to stop it.
const STOPS = /^(UpdateAccessKey|DeleteAccessKey|AttachUserPolicy|PutUserPolicy|PutRolePolicy|DeleteUser|DeleteLoginProfile)$/;
function marks() {
  const found = [];
  const first = TRACE.summary.first_suspicious_use;
  if (first) found.push({ at: Date.parse(first.event_time) / 1000, text: "first suspicious use", tone: "critical" });
  for (let row = 0; row < EVENTS.count; row++) {
    const call = get("event_name", row);
    if (get("relation", row) !== "about" || !STOPS.test(call)) continue;
    const text = call === "UpdateAccessKey" ? (/"status"\s*:\s*"Inactive"/.test(get("request_parameters", row) || "") ? "key deactivated" : "key activated") : call === "DeleteAccessKey" ? "key deleted" : call;
    const last = found[found.length - 1];
    if (last && last.text === text && TIMES[row] - last.at < 60) continue;
    found.push({ at: TIMES[row], text, tone: "owner" });
  }
  return found;
}

// The time of what is not the owner's; null where nothing tells, or where it is all there is.
function attack() {
  const first = TRACE.summary.first_suspicious_use;
  if (!first) return null;
  const from = Date.parse(first.event_time) / 1000;
  let to = from;
  for (let row = 0; row < EVENTS.count; row++) if (get("relation", row) !== "about" && STRANGE.includes(get("origin", row))) to = Math.max(to, TIMES[row]);
  const margin = Math.max((to - from) * 0.08, 60);
  return [from - margin, to + margin];
}

function drawChart(table) {
  const tools = document.getElementById("timeline-tools"), host = document.getElementById("chart");
  if (!EVENTS.count) { host.hidden = true; return; }
  let plot = null, kind = "tactic";
  const range = el("span", { class: "soft" });
  const choose = el("select", { "aria-label": "Lanes of the chart", on: { change: () => { kind = choose.value; draw(); } } }, ...Object.entries(LANES).map(([value, lane]) => el("option", { value }, lane.label)));
  const groups = [...SEVERITIES, "none"];
  const hidden = new Set();
  const buttons = groups.map((group) => {
    const button = el("button", { type: "button", class: `chip ${group}`, "aria-pressed": "true", on: { click: () => { hidden.has(group) ? hidden.delete(group) : hidden.add(group); button.setAttribute("aria-pressed", String(!hidden.has(group))); draw(); follow(); } } }, group === "none" ? "no finding" : group);
    return button;
  });
  const whole = el("button", { type: "button", on: { click: () => { plot.setScale("x", { min: bounds[0], max: bounds[1] }); } } }, "all times");
  const close = el("button", { type: "button", on: { click: () => { const of = attack(); if (of) plot.setScale("x", { min: of[0], max: of[1] }); } } }, "attack");
  tools.replaceChildren("lanes by ", choose, ...buttons, attack() ? close : "", whole, range);
  const overview = document.getElementById("overview");
  const moments = marks();
  const first = TIMES[0], last = TIMES[TIMES.length - 1];
  const margin = Math.max((last - first) * 0.02, 30);
  const bounds = [first - margin, last + margin];
  let window_ = null;
  const groupOf = (row) => get("severity", row) || "none";
  function follow() {
    const [from, to] = window_ || bounds;
    const all = !window_ && !hidden.size && VIEW.who === "all";
    table.restrict(all ? null : (row) => TIMES[row] >= from && TIMES[row] <= to && !hidden.has(groupOf(row)) && rowShown(row));
    remember({ from: window_ ? Math.round(from) : null, to: window_ ? Math.round(to) : null });
    strip();
    const text = (seconds) => clock(new Date(seconds * 1000).toISOString().slice(0, 19));
    range.textContent = window_ ? `${text(from)} – ${text(to)}` : "";
  }
  // All of the time in one strip: how much happened when, the part that is shown, and the moments that matter.
  function strip() {
    const width = Math.max(280, overview.clientWidth), height = 34, scale = devicePixelRatio || 1;
    overview.width = width * scale;
    overview.height = height * scale;
    const pen = overview.getContext("2d");
    pen.scale(scale, scale);
    const place = (time) => ((time - bounds[0]) / (bounds[1] - bounds[0])) * width;
    const ours = new Array(width).fill(0), theirs = new Array(width).fill(0);
    for (let row = 0; row < EVENTS.count; row++) (STRANGE.includes(get("origin", row)) ? theirs : ours)[Math.min(width - 1, Math.max(0, Math.floor(place(TIMES[row]))))]++;
    const bar = (counts, tone) => {
      pen.fillStyle = color(tone);
      counts.forEach((count, at) => { if (count) { const tall = Math.min(height - 4, 4 + 6 * Math.log2(1 + count)); pen.fillRect(at, height - tall, 1.5, tall); } });
    };
    bar(ours, "unknown");
    bar(theirs, "intruder");
    for (const { at, tone } of moments) { pen.fillStyle = color(tone); pen.fillRect(place(at) - 0.75, 0, 1.5, height); }
    const [from, to] = window_ || bounds;
    pen.fillStyle = color("accent");
    pen.globalAlpha = 0.16;
    pen.fillRect(place(from), 0, Math.max(3, place(to) - place(from)), height);
    pen.globalAlpha = 1;
    pen.strokeStyle = color("accent");
    pen.strokeRect(place(from), 0.5, Math.max(3, place(to) - place(from)), height - 1);
  }
  let grabbed = null;
  const timeAt = (event) => { const box = overview.getBoundingClientRect(); return bounds[0] + ((event.clientX - box.left) / box.width) * (bounds[1] - bounds[0]); };
  overview.addEventListener("pointerdown", (event) => { grabbed = timeAt(event); overview.setPointerCapture(event.pointerId); });
  overview.addEventListener("pointerup", (event) => {
    if (grabbed === null) return;
    let [from, to] = [grabbed, timeAt(event)].sort((a, b) => a - b);
    grabbed = null;
    // A click moves the window there; a drag makes a new one.
    if ((to - from) / (bounds[1] - bounds[0]) < 0.004) { const [a, b] = window_ || bounds; const half = (b - a) / 2; [from, to] = [from - half, from + half]; }
    plot.setScale("x", { min: Math.max(bounds[0], from), max: Math.min(bounds[1], to) });
  });

  function draw() {
    const lanes = lanesOf(kind);
    const series = new Map(groups.map((group) => [group, new Array(EVENTS.count).fill(null)]));
    const x = new Array(EVENTS.count);
    // Points need distinct times to be told apart by the cursor; order is that of the table.
    for (let row = 0; row < EVENTS.count; row++) {
      x[row] = TIMES[row];
      const group = groupOf(row);
      if (!hidden.has(group) && rowShown(row)) series.get(group)[row] = lanes.names.length - 1 - lanes.at(row) + scatter(row);
    }
    const axis = () => color("soft"), grid = () => color("line");
    const size = () => ({ width: Math.max(280, host.clientWidth - 8), height: Math.max(180, Math.min(620, 70 + lanes.names.length * 30)) });
    const widest = Math.min(innerWidth < 700 ? 110 : 210, 16 + 6.4 * Math.max(...lanes.names.map((lane) => lane.length)));
    if (plot) plot.destroy();
    host.replaceChildren();
    plot = new uPlot({
      ...size(), tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"), legend: { show: false },
      cursor: { drag: { x: true, y: false }, points: { show: false }, y: false },
      scales: { x: { min: (window_ || bounds)[0], max: (window_ || bounds)[1], range: (u, min, max) => [min, max] }, y: { range: [-0.6, lanes.names.length - 0.4] } },
      axes: [{ stroke: axis, grid: { stroke: grid, width: 0.5 }, ticks: { stroke: grid }, space: 80, values: STAMPS },
        { stroke: axis, grid: { stroke: grid, width: 0.5 }, ticks: { show: false }, size: widest, gap: 4, splits: lanes.names.map((_, n) => n), values: (u, at) => at.map((n) => short(lanes.names[lanes.names.length - 1 - n], Math.floor((widest - 8) / 6.2))) }],
      series: [{}, ...groups.map((group) => ({ label: group, stroke: () => color(group === "none" ? "unknown" : group), paths: () => null, points: { show: true, size: (group === "none" ? 4 : 7) * (EVENTS.count > 20000 ? 0.5 : 1), width: 0, fill: () => color(group === "none" ? "line" : group) } }))],
      hooks: { draw: [(u) => {
        const pen = u.ctx;
        pen.save();
        pen.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
        let edge = -Infinity, level = 0;
        for (const { at, text, tone } of moments) {
          const x = u.valToPos(at, "x", true);
          if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
          pen.fillStyle = color(tone);
          pen.fillRect(x - devicePixelRatio / 2, u.bbox.top, devicePixelRatio, u.bbox.height);
          const width = pen.measureText(text).width;
          level = x < edge ? (level + 1) % 3 : 0;
          const right = x + width + 8 * devicePixelRatio < u.bbox.left + u.bbox.width;
          pen.textAlign = right ? "left" : "right";
          pen.fillText(text, x + (right ? 4 : -4) * devicePixelRatio, u.bbox.top + (12 + 13 * level) * devicePixelRatio);
          edge = x + width + 12 * devicePixelRatio;
        }
        pen.restore();
      }], setScale: [(u, key) => {
        if (key !== "x") return;
        const { min, max } = u.scales.x;
        window_ = min <= bounds[0] && max >= bounds[1] ? null : [min, max];
        clearTimeout(draw.waiting);
        draw.waiting = setTimeout(follow, 60);
      }] },
    }, [x, ...groups.map((group) => series.get(group))], host);
    plot.over.addEventListener("dblclick", () => plot.setScale("x", { min: bounds[0], max: bounds[1] }));
    let downAt = 0;
    plot.over.addEventListener("mousedown", (event) => { downAt = event.clientX; });
    plot.over.addEventListener("click", (event) => { if (Math.abs(event.clientX - downAt) < 4) openNear(event); });
    const openNear = (event) => {
      const box = plot.over.getBoundingClientRect();
      const px = event.clientX - box.left, py = event.clientY - box.top;
      let best = null, nearest = 12 * 12;
      for (let row = 0; row < EVENTS.count; row++) {
        const y = series.get(groupOf(row))[row];
        if (y === null) continue;
        const dx = plot.valToPos(x[row], "x") - px;
        if (dx > 12 || dx < -12) continue;
        const dy = plot.valToPos(y, "y") - py;
        if (dx * dx + dy * dy < nearest) { nearest = dx * dx + dy * dy; best = row; }
      }
      if (best !== null) openEvent(best);
    };
    plot.fitTo = size;
  }
  // Seconds since 1970, or a time as AWS writes it.
  const given = (name) => { const text = state().get(name) || ""; return /[T:-]/.test(text) ? Date.parse(text) / 1000 : Number(text); };
  const asked = [given("from"), given("to") || bounds[1]];
  if (asked[0] && asked[1] > asked[0]) window_ = asked;
  else if (VIEW.who !== "owner") window_ = attack();
  draw();
  follow();
  VIEW.changed.push(() => { draw(); follow(); });
  repaints.push(() => { draw(); strip(); });
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; plot.setSize(plot.fitTo()); strip(); } });
}
