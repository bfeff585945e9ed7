// Zooming into a chart and moving about in it: with the wheel, two fingers, buttons or keys. The
// part that is seen is among the page's options, so that links and all views of a panel share it.
// At rest a chart leaves the wheel and the finger to the page; only Ctrl and the wheel zoom it.

const CLOSEST = 1 / 400; // of the whole axis
const ZOOM_STEP = 1.5;

const zoomKey = (panel) => `${panel.about.name}.zoom`;

/** The part of a chart that is seen, as ranges of its axes; null for the whole. */
function zoomOf(panel) {
  const text = state.options[zoomKey(panel)];
  if (!text || panel.measuring) return null;
  const numbers = text.split(",").map(Number);
  const sound = numbers.length === 4 && numbers.every(Number.isFinite) && numbers[0] !== numbers[1] && numbers[2] !== numbers[3];
  return sound ? { x: numbers.slice(0, 2), y: numbers.slice(2) } : null;
}

/** Give axes the ranges of the part that is seen. */
function zoomAxes(panel, { xaxis, yaxis }) {
  const part = zoomOf(panel);
  if (!part) return;
  Object.assign(xaxis, { range: part.x, autorange: false });
  Object.assign(yaxis, { range: part.y, autorange: false });
}

/** The options without the zoom of the panels that `which` picks. */
function withoutZoom(which) {
  const names = new Set(shown.filter(which).map(zoomKey));
  return Object.fromEntries(Object.entries(state.options).filter(([key]) => !names.has(key)));
}

/** A range inside the whole one, no wider than it and no narrower than can be read. */
function fitted([low, high], [from, to]) {
  const all = to - from;
  const width = Math.sign(all) * Math.min(Math.max(Math.abs(high - low), Math.abs(all) * CLOSEST), Math.abs(all));
  const middle = (low + high) / 2;
  const ends = [middle - width / 2, middle + width / 2];
  const over = all > 0 ? Math.min(ends[0] - from, 0) + Math.max(ends[1] - to, 0) : Math.max(ends[0] - from, 0) + Math.min(ends[1] - to, 0);
  return ends.map((end) => end - over);
}

/** See this part of a chart in all its views; null for the whole. */
function zoomTo(panel, part) {
  const { [zoomKey(panel)]: before, ...options } = state.options;
  const { whole } = panel;
  if (part && whole) {
    const [x, y] = [fitted(part.x, whole.x), fitted(part.y, whole.y)];
    const same = [[x, whole.x], [y, whole.y]].every(([a, b]) => Math.abs(a[1] - a[0]) > 0.999 * Math.abs(b[1] - b[0])); // prettier-ignore
    if (!same) options[zoomKey(panel)] = [...x, ...y].map((n) => Number(n.toPrecision(7))).join(",");
  }
  if (options[zoomKey(panel)] === before) return;
  change("look", { options });
  zoomTo.waiting ??= requestAnimationFrame(() => {
    zoomTo.waiting = null;
    for (const chart of shown.filter((one) => one.about.name === panel.about.name)) chart.redraw();
  });
}

/** Bring a chart nearer by a factor around a place on the stage; its middle without one. */
function zoomBy(panel, factor, place = null) {
  const { xaxis, yaxis } = panel.plot._fullLayout ?? {};
  if (!xaxis || !panel.whole) return;
  const from = zoomOf(panel) ?? panel.whole;
  const across = place ? (place.x - xaxis._offset) / xaxis._length : 0.5;
  const up = place ? 1 - (place.y - yaxis._offset) / yaxis._length : 0.5;
  const about = ([low, high], at) => {
    const centre = low + at * (high - low);
    return [centre - (centre - low) / factor, centre + (high - centre) / factor];
  };
  zoomTo(panel, { x: about(from.x, across), y: about(from.y, up) });
}

/** Move the part that is seen by shares of it. */
function panBy(panel, across, up) {
  const part = zoomOf(panel);
  if (!part) return;
  const by = ([low, high], share) => [low + share * (high - low), high + share * (high - low)];
  zoomTo(panel, { x: by(part.x, across), y: by(part.y, up) });
}

/** Switch a chart's zoom on or off; off shows the whole again. */
function zoomMode(panel, wanted) {
  panel.zooming = wanted;
  panel.zoomButton.setAttribute("aria-pressed", String(wanted));
  panel.zoomTools.hidden = !wanted;
  panel.stage.classList.toggle("zooms", wanted);
  if (wanted) panel.stage.setAttribute("tabindex", "0");
  else panel.stage.removeAttribute("tabindex");
  if (!wanted) zoomTo(panel, null);
}

/** The zoom's buttons of a chart, and all that listens on it. */
function zoomable(panel) {
  const { title } = panel.about;
  const button = (text, label, does) =>
    element("button", { type: "button", class: "save", "aria-label": `${label}: ${title}`, title: label, onclick: does }, text);
  panel.zoomButton = button("Zoom", "Zoom", () => zoomMode(panel, !panel.zooming));
  panel.zoomButton.setAttribute("aria-pressed", "false");
  panel.zoomTools = element("span", { class: "zoom-tools", hidden: true },
    button("+", "Nearer", () => zoomBy(panel, ZOOM_STEP)),
    button("−", "Farther", () => zoomBy(panel, 1 / ZOOM_STEP)),
    button("whole", "The whole chart", () => zoomTo(panel, null)),
  ); // prettier-ignore
  listenForZoom(panel);
  return element("span", { class: "zoom" }, panel.zoomButton, panel.zoomTools);
}

function listenForZoom(panel) {
  const { stage } = panel;
  const placeOf = ({ clientX, clientY }) => {
    const box = stage.getBoundingClientRect();
    return { x: clientX - box.left, y: clientY - box.top };
  };
  stage.setAttribute("aria-keyshortcuts", "+ - 0 ArrowLeft ArrowRight ArrowUp ArrowDown");
  stage.addEventListener("wheel", (event) => {
    if (!panel.zooming && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    if (!panel.zooming) zoomMode(panel, true);
    zoomBy(panel, Math.exp(-Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 100) / 300), placeOf(event));
  }, { passive: false }); // prettier-ignore
  stage.addEventListener("dblclick", () => panel.zooming && zoomTo(panel, null));
  stage.addEventListener("keydown", (event) => panel.zooming && zoomKeys(panel, event));
  fingers(panel, placeOf);
}

/** One finger or the mouse moves the chart, two bring it nearer. */
function fingers(panel, placeOf) {
  const held = new Map();
  const { stage } = panel;
  const far = () => {
    const [a, b] = [...held.values()];
    return Math.hypot(a.x - b.x, a.y - b.y) || 1;
  };
  stage.addEventListener("pointerdown", (event) => {
    if (panel.zooming && !event.button) held.set(event.pointerId, placeOf(event));
  });
  window.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const now = placeOf(event);
    if (held.size === 2) {
      const was = far();
      held.set(event.pointerId, now);
      const [a, b] = [...held.values()];
      zoomBy(panel, far() / was, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
      return;
    }
    held.set(event.pointerId, now);
    const { xaxis, yaxis } = panel.plot._fullLayout;
    panBy(panel, (before.x - now.x) / xaxis._length, (now.y - before.y) / yaxis._length);
  });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, (event) => held.delete(event.pointerId));
}

function zoomKeys(panel, event) {
  const moves = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, 0.2], ArrowDown: [0, -0.2] };
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in moves) panBy(panel, ...moves[event.key]);
  else if (event.key === "+" || event.key === "=") zoomBy(panel, ZOOM_STEP);
  else if (event.key === "-") zoomBy(panel, 1 / ZOOM_STEP);
  else if (event.key === "0") zoomTo(panel, null);
  else if (event.key === "Escape") {
    zoomMode(panel, false);
    panel.zoomButton.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
