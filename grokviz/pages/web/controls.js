// What the reader holds: the slider and its keys, the choice of a frequency, light and dark.

const CHECKPOINTS_A_SECOND = 20;

const controls = {};

function chooseFrequency(k) {
  change("choice", { frequency: k === state.frequency ? null : k });
}

function chooseNeuron(id) {
  change("choice", { neuron: id });
}

function chooseHead(head) {
  change("choice", { head });
}

/** Move by so many checkpoints; stays within the run. */
function step(by) {
  change("moment", { at: Math.min(Math.max(state.at + by, 0), epochs.length - 1) });
}

/** Where an epoch lies on the slider, 0 to 1, and back. */
const TIME_BEFORE_FIRST = 0.04;

function share(e) {
  const last = epochs.at(-1);
  if (state.time === "linear") return (e - epochs[0]) / (last - epochs[0]);
  const first = epochs.find((x) => x > 0);
  if (e < first) return 0;
  const rest = last > first ? Math.log(e / first) / Math.log(last / first) : 1;
  return epochs[0] > 0 ? rest : TIME_BEFORE_FIRST + (1 - TIME_BEFORE_FIRST) * rest;
}

function epochAt(place) {
  const last = epochs.at(-1);
  if (state.time === "linear") return epochs[0] + place * (last - epochs[0]);
  const first = epochs.find((x) => x > 0);
  const rest = epochs[0] > 0 ? place : (place - TIME_BEFORE_FIRST) / (1 - TIME_BEFORE_FIRST);
  return rest < 0 ? (place < TIME_BEFORE_FIRST / 2 ? epochs[0] : first) : first * (last / first) ** rest;
}

/** Playing: steps through the checkpoints, as many a second however long a step takes. */
const player = {
  frame: 0,
  from: 0,
  start: 0,

  get playing() {
    return this.frame !== 0;
  },

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  },

  play() {
    if (state.at === epochs.length - 1) change("moment", { at: 0 });
    this.begin();
    this.frame = requestAnimationFrame((now) => this.tick(now));
    showPlaying();
  },

  begin() {
    this.from = state.at;
    this.start = performance.now();
    this.last = state.at;
  },

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    showPlaying();
  },

  tick(now) {
    if (state.at !== this.last) this.begin(); // moved by hand meanwhile
    const gone = Math.floor(((now - this.start) / 1000) * CHECKPOINTS_A_SECOND * state.speed);
    const at = Math.min(this.from + Math.max(gone, 0), epochs.length - 1);
    if (at !== state.at) change("moment", { at });
    this.last = state.at;
    this.frame = requestAnimationFrame((next) => this.tick(next));
    if (at < epochs.length - 1) return;
    if (!state.loop) this.pause();
    else {
      change("moment", { at: 0 });
      this.begin();
    }
  },
};

function showPlaying() {
  controls.play.setAttribute("aria-label", player.playing ? "Pause" : "Play");
  controls.play.setAttribute("aria-pressed", String(player.playing));
  controls.play.dataset.playing = String(player.playing);
}

function buildControls() {
  const bar = document.getElementById("controls");
  const moves = epochs.length > 1;
  if (moves) bar.append(timeRow());
  const rest = [choiceRow(), moves ? tempoGroup() : null].filter(Boolean);
  if (rest.length) bar.append(element("div", { class: "rest" }, ...rest));
  bar.hidden = !bar.children.length;
}

function timeRow() {
  controls.play = element("button", { type: "button", class: "play", "aria-label": "Play", onclick: () => player.toggle() });
  controls.play.append(element("span", { "aria-hidden": "true" }));
  controls.epoch = element("output", { class: "now", for: "slider" });
  controls.phase = element("span", { class: "phase" });
  controls.slider = element("input", {
    type: "range", id: "slider", min: "0", max: "10000", step: "1", "aria-label": `Training time (${facts.word})`,
    "aria-keyshortcuts": "ArrowLeft ArrowRight PageUp PageDown Home End",
  }); // prettier-ignore
  controls.slider.addEventListener("input", () => {
    change("moment", { at: nearest(epochs, epochAt(Number(controls.slider.value) / 10_000)) });
  });
  controls.slider.addEventListener("keydown", sliderKeys);
  controls.track = element("div", { class: "track", "aria-hidden": "true" });
  return element(
    "div",
    { class: "time" },
    controls.play,
    element("div", { class: "moment" }, controls.epoch, controls.phase),
    element("div", { class: "slide" }, controls.track, controls.slider),
  );
}

/** How time runs: its axis, the speed, and whether it begins again. */
function tempoGroup() {
  const time = choice("Time axis", [["linear", "linear"], ["log", "log"]], state.time, (value) => change("look", { time: value })); // prettier-ignore
  const speed = element("select", { "aria-label": "Speed" });
  for (const value of SPEEDS) speed.append(element("option", { value }, `${value} ×`));
  speed.value = state.speed;
  speed.addEventListener("change", () => {
    change("look", { speed: Number(speed.value) });
    if (player.playing) player.begin();
  });
  const loop = element("input", { type: "checkbox", id: "loop" });
  loop.checked = state.loop;
  loop.addEventListener("change", () => change("look", { loop: loop.checked }));
  Object.assign(controls, { time, speed, loop, pin: pinButton() });
  return element(
    "div",
    { class: "tempo" },
    controls.pin ?? "",
    element("span", { class: "pair" }, "time", time),
    element("label", { class: "pair" }, "speed", speed),
    element("label", { class: "pair", for: "loop" }, loop, "loop"),
  );
}

/** Keeps the epoch shown beside those that follow; only where a chart changes with it. */
function pinButton() {
  if (facts.pictures || facts.figure || facts.film) return null;
  return element("button", { type: "button", class: "plain", id: "pin", "aria-pressed": "false", onclick: togglePin });
}

function togglePin() {
  if (controls.pin) change("pin", { pin: state.pin === null ? epoch() : null });
}

function showPin() {
  if (!controls.pin) return;
  controls.pin.textContent = state.pin === null ? "Pin" : `Unpin ${spaced(state.pin)}`;
  controls.pin.setAttribute("aria-pressed", String(state.pin !== null));
  controls.pin.title = state.pin === null ? `Keep this ${facts.word} beside the slider's` : "";
  if (controls.pinMark) {
    controls.pinMark.hidden = state.pin === null;
    if (state.pin !== null) controls.pinMark.style.left = `${100 * share(state.pin)}%`;
  }
}

function sliderKeys(event) {
  const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
  if (event.key in moves) step(moves[event.key]);
  else if (event.key === "Home") change("moment", { at: 0 });
  else if (event.key === "End") change("moment", { at: epochs.length - 1 });
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Phases as tints under the slider. */
function paintTrack() {
  if (!controls.track) return;
  controls.track.replaceChildren();
  controls.pinMark = element("i", { class: "pin-mark", hidden: true });
  controls.track.append(controls.pinMark);
  showPin();
  markNotes();
  if (!facts.phases) return;
  const edges = [0, ...facts.phases.ends.map(share), 1];
  facts.phases.names.forEach((name, n) => {
    const part = element("span", { class: `phase-${n}`, title: name });
    part.style.left = `${100 * edges[n]}%`;
    part.style.width = `${100 * Math.max(edges[n + 1] - edges[n], 0)}%`;
    controls.track.append(part);
  });
}

function showTime() {
  if (!controls.slider) return;
  const said = `${facts.word} ${spaced(epoch())}`;
  controls.slider.value = Math.round(10_000 * share(epoch()));
  const phase = phaseOf(epoch());
  controls.slider.setAttribute("aria-valuetext", phase ? `${said}, ${phase}` : said);
  controls.epoch.textContent = said;
  controls.phase.textContent = phase;
}

/** Frequencies to choose from: those embedded as chips, all of them in a list. */
function choiceRow() {
  if (!embedded().length) return null;
  const chips = element("div", { class: "chips", role: "group", "aria-label": "Frequency to mark" });
  for (const k of embedded()) {
    const chip = element("button", { type: "button", class: "chip", "data-frequency": k, "aria-pressed": "false" });
    chip.append(element("span", { class: "dot", "aria-hidden": "true" }), String(k));
    chip.addEventListener("click", () => chooseFrequency(k));
    chips.append(chip);
  }
  const list = element("select", { "aria-label": "Any frequency" }, element("option", { value: "" }, "any…"));
  for (let k = 1; k <= lastFrequency(); k++) list.append(element("option", { value: k }, k));
  list.addEventListener("change", () => change("choice", { frequency: list.value ? Number(list.value) : null }));
  Object.assign(controls, { chips, list });
  return element("div", { class: "mark" }, element("span", { class: "label" }, "mark frequency"), chips, list);
}

function showChoice() {
  if (!controls.chips) return;
  controls.list.value = state.frequency ?? "";
  for (const chip of controls.chips.children) {
    const k = Number(chip.dataset.frequency);
    chip.setAttribute("aria-pressed", String(k === state.frequency));
    chip.style.setProperty("--own", colourOf(k));
  }
}

const KEYS = [
  ["Space", "play or pause"],
  ["← →", "one checkpoint back or on"],
  ["Page Up, Page Down", "ten checkpoints"],
  ["Home, End", "the start, the end"],
  ["S, Shift S", "the next or the last step of the guide"],
  ["F, Shift F", "the next or the last embedded frequency"],
  ["N, Shift N", "the next or the last stored neuron"],
  ["H", "the next head"],
  ["P", "pin the epoch shown beside the slider's, or unpin it"],
  ["L", "linear or logarithmic time"],
  ["T", "light or dark"],
  ["+ − 0, arrows", "in a chart whose Zoom is on: nearer, farther, the whole, move"],
  ["?", "these keys"],
  ["Escape", "closes these keys, the notes or the steps; else marks no frequency"],
];

/** The next entry of a list, round and round; the first one where nothing is chosen. */
function next(list, current, by) {
  if (!list.length) return null;
  const at = list.indexOf(current);
  return at < 0 ? list.at(by > 0 ? 0 : -1) : list.at((at + by + list.length) % list.length);
}

function pageKeys(event) {
  const { key, target, shiftKey } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(SELECT|INPUT|TEXTAREA)$/.test(target.tagName) && target.id !== "slider") return;
  const by = shiftKey ? -1 : 1;
  const moving = epochs.length > 1;
  const pressed = key.length === 1 ? key.toLowerCase() : key;
  const onButton = /^(BUTTON|SUMMARY|A)$/.test(target.tagName);
  if (pressed === " " && moving && !onButton) player.toggle();
  else if (pressed === "f") change("choice", { frequency: next(embedded(), state.frequency, by) });
  else if (pressed === "n" && store.has("neuron")) chooseNeuron(next(Array.from(store.get("neuron").values), state.neuron, by));
  else if (pressed === "h" && store.has("head")) chooseHead((state.head + 1) % store.get("head").values.length);
  else if (pressed === "p" && moving) togglePin();
  else if (pressed === "l" && moving) change("look", { time: state.time === "log" ? "linear" : "log" });
  else if (pressed === "t") switchTheme();
  else if (pressed === "?") showKeys();
  else if (pressed === "s" && guided().length) goStep(guide.at === null ? 0 : guide.at + by);
  else if (pressed === "Escape") escape();
  else if (moving && !onButton && /^(Arrow(Left|Right)|Page(Up|Down)|Home|End)$/.test(key)) {
    sliderKeys(event);
    return;
  } else return;
  event.preventDefault();
}

/** Close what is open, the last thing first; with nothing open, mark no frequency. */
function escape() {
  if (!document.getElementById("keys").hidden) showKeys();
  else if (!document.getElementById("notes").hidden) showNotes(false);
  else if (guide.at !== null) leaveGuide();
  else change("choice", { frequency: null });
}

function showKeys() {
  const panel = document.getElementById("keys");
  panel.hidden = !panel.hidden;
  document.getElementById("help").setAttribute("aria-expanded", String(!panel.hidden));
  // it is below the page's head, which may be out of view
  if (!panel.hidden) panel.scrollIntoView({ block: "nearest" });
}

function buildKeys() {
  const list = element("dl");
  for (const [key, does] of KEYS) list.append(element("dt", {}, key), element("dd", {}, does));
  document.getElementById("keys").append(list);
  document.getElementById("help").addEventListener("click", showKeys);
  document.addEventListener("keydown", pageKeys);
}

/** Pictures and films have the colours that they were drawn in. */
const canChangeTheme = () => !facts.pictures && !facts.film && !facts.figure;

function switchTheme() {
  if (!canChangeTheme()) return;
  change("look", { theme: state.theme === "dark" ? "light" : "dark" });
}

function showTheme() {
  document.documentElement.dataset.theme = state.theme;
  const button = document.getElementById("theme");
  button.textContent = state.theme === "dark" ? "Light" : "Dark";
  button.setAttribute("aria-label", `Switch to ${state.theme === "dark" ? "light" : "dark"} colours`);
}
