// Put the page together: unpack, build the panels, and let every change reach what is in view.

const shown = []; // the charts of all panels and views
const groups = []; // the panels

/** plotly.js, which lies deflated in the page, as a script of the page. */
async function loadPlotly() {
  const packed = document.getElementById("plotly").textContent.trim();
  if (!packed) return; // a page of pictures needs none
  const text = new TextDecoder().decode(await inflate(packed));
  const script = document.createElement("script");
  script.textContent = text;
  document.head.append(script);
}

function heading() {
  const { run } = facts;
  const names = runs.map((one) => one.facts.run.name || "run");
  document.getElementById("name").textContent = facts.title || names.join(" beside ");
  if (facts.watch) {
    document.getElementById("about").textContent = facts.watch;
    return;
  }
  const said = runs.length > 1 ? runs.map((one, n) => `${names[n]}: ${one.facts.run.about}`) : [run.about];
  if (epochs.length > 1) said.push(`${spaced(epochs.length)} checkpoints`);
  else said.push(`one checkpoint, ${facts.word} ${spaced(epochs[0])}`);
  document.getElementById("about").textContent = said.filter(Boolean).join("  ·  ");
}

/** Recipe, settings, checksum and commands of each run, at the page's foot. */
function provenance() {
  for (const run of runs) within(new View(run), provenanceOfRun);
}

function provenanceOfRun() {
  const { run } = facts;
  const list = element("dl");
  const entry = (term, text, tag = "span") => {
    if (text) list.append(element("dt", {}, term), element("dd", {}, element(tag, {}, text)));
  };
  entry("caption", facts.caption);
  entry("scene", facts.scene, "code");
  entry("options", Object.entries(facts.options ?? {}).map((pair) => pair.join("=")).join(", ")); // prettier-ignore
  entry("run", run.name);
  entry("recipe", run.recipe);
  entry("checksum", run.checksum, "code");
  entry("made by", run.command, "code");
  entry("this page by", runs[0].facts.command, "code");
  entry("with", Object.entries(facts.versions).map((pair) => pair.join(" ")).join(", ")); // prettier-ignore
  if (facts.every > 1) entry("checkpoints", `every ${facts.every}th, and those of the fields`);
  if (!Object.keys(run.settings).length) {
    document.getElementById("facts-of-run").append(list);
    return;
  }
  const settings = element("table", {}, element("caption", {}, "Settings"));
  for (const [key, value] of Object.entries(run.settings)) {
    const text = Array.isArray(value) ? value.join(", ") : String(value);
    settings.append(element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, text)));
  }
  document.getElementById("facts-of-run").append(list, settings);
}

const watched = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) target.panel.seen(isIntersecting);
  },
  { rootMargin: "40px" },
);
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const { panel } = target;
    if (panel.built && target.clientWidth && panel.wide !== target.clientWidth) panel.redraw();
  }
});

/** Draw a chart whenever it is in view. */
function watch(panel) {
  shown.push(panel);
  panel.stage.panel = panel;
  watched.observe(panel.stage);
  resized.observe(panel.stage);
}

function forget(panel) {
  shown.splice(shown.indexOf(panel), 1);
  watched.unobserve(panel.stage);
  resized.unobserve(panel.stage);
}

function buildPanels() {
  const main = document.getElementById("panels");
  const names = new Set(runs.flatMap((run) => run.facts.panels.map(({ name }) => name)));
  for (const name of names) {
    const group = new Group(runs.map((run) => run.facts.panels.find((about) => about.name === name)));
    groups.push(group);
    main.append(group.element);
    for (const chart of group.charts) watch(chart);
  }
}

function showPinned() {
  document.body.dataset.runs = runs.length;
  document.body.dataset.pinned = String(state.pin !== null);
  showPin();
  for (const group of groups) group.pin();
}

let wanted = 0;
let settled = 0;

/** Show the moment in the next frame: many changes between two frames are one. */
function showMoment() {
  wanted ||= requestAnimationFrame(() => {
    wanted = 0;
    showTime();
    for (const panel of shown) panel.show();
    settle();
  });
}

/** When time has come to rest: chart by chart in full, and a word for those who hear the page. */
function settle() {
  delete document.body.dataset.settled;
  clearTimeout(settled);
  settled = setTimeout(() => {
    if (player.playing) {
      settle();
      return;
    }
    const moved = shown.find((panel) => panel.unsettled && panel.visible);
    if (moved) {
      moved.settle();
      settle.next = 0;
      settle();
      return;
    }
    for (const panel of shown) panel.describe();
    if (epochs.length > 1) say(`${facts.word} ${spaced(epoch())}${phaseOf(epoch()) ? `, ${phaseOf(epoch())}` : ""}`);
    settle.next = REST;
    document.body.dataset.settled = "true";
  }, settle.next);
  settle.next = REST;
}

const REST = 250; // ms
settle.next = REST;

/** For those who hear the page. */
function say(text) {
  document.getElementById("spoken").textContent = text;
}

function redrawAll() {
  for (const panel of shown) {
    if (panel.visible) panel.redraw();
    else panel.stale = !(panel.built = false);
  }
  settle();
}

/** On paper every panel is in view, and as wide as on the screen: browsers then print it smaller. */
function drawForPaper() {
  document.body.style.width = `${document.documentElement.clientWidth}px`;
  for (const panel of shown) {
    panel.seen(true);
    panel.settle();
  }
}

function listen() {
  addEventListener("beforeprint", drawForPaper);
  addEventListener("afterprint", () => { document.body.style.width = ""; });
  on("moment", showMoment);
  on("pin", () => {
    showPinned();
    redrawAll();
    say(state.pin === null ? "nothing pinned" : `${facts.word} ${spaced(state.pin)} pinned`);
  });
  on("choice", (before) => {
    showChoice();
    redrawAll();
    if (before.frequency !== state.frequency) {
      say(state.frequency === null ? "no frequency marked" : `frequency ${state.frequency} marked`);
    } else if (before.neuron !== state.neuron) say(`neuron ${state.neuron}`);
  });
  on("look", (before) => {
    showTheme();
    if (before.time !== state.time) state.options = withoutZoom((panel) => panel.overTime);
    if (before.time !== state.time || before.theme !== state.theme) {
      controls.time?.show(state.time);
      paintTrack();
      showTime();
      showChoice();
      redrawAll();
    }
  });
  window.addEventListener("hashchange", () => {
    const said = recalled(location.hash);
    const { options, pin, notes, ...rest } = said;
    setNotes(notes);
    change("choice", { frequency: null, ...rest });
    change("pin", { pin });
    showTime();
    for (const panel of shown) panel.show();
  });
}

/** What a script outside may do: read the state, go somewhere, and compare how steps are drawn. */
const grokviz = {
  anew: false, // whether plotly draws every step in full
  state,
  go: (wantedEpoch) => change("moment", { at: nearest(epochs, wantedEpoch) }),
  pin: (wantedEpoch) => change("pin", { pin: wantedEpoch === null ? null : epochs[nearest(epochs, wantedEpoch)] }),
  field: (name) => store.get(name),
  activations: (neuron, field) => activations(neuron, field),
  spectrum,
};

/** Open the arrays of each run; the slider goes through the checkpoints of all. */
async function unpack() {
  for (const [own, id] of [[facts, "data"], ...(facts.beside ? [[facts.beside, "data-beside"]] : [])]) {
    const buffer = await inflate(document.getElementById(id).textContent);
    const run = { facts: Object.assign(own, { palettes: facts.palettes }), store: new Store(buffer, own) };
    run.epochs = Array.from(run.store.get("epoch").values);
    runs.push(run);
  }
  ({ store } = runs[0]);
  clock = [...new Set(runs.flatMap((run) => run.epochs))].sort((a, b) => a - b);
  epochs = clock;
}

async function start() {
  const waiting = document.getElementById("waiting");
  if (typeof DecompressionStream === "undefined") {
    waiting.textContent = "This browser is too old to open the page: a version of 2023 or later does.";
    return;
  }
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  state.theme = facts.theme === "auto" ? (prefersDark ? "dark" : "light") : facts.theme;
  document.documentElement.dataset.theme = state.theme;
  await unpack();
  await loadPlotly();
  state.at = facts.start === undefined ? epochs.length - 1 : nearest(epochs, facts.start);
  state.neuron = firstNeuron();
  Object.assign(state, recalled(location.hash));
  window.grokviz = grokviz;
  heading();
  provenance();
  buildControls();
  buildKeys();
  buildPanels();
  buildGuide();
  buildNotes();
  showPinned();
  const themed = document.getElementById("theme");
  themed.hidden = !canChangeTheme();
  themed.addEventListener("click", switchTheme);
  showTheme();
  paintTrack();
  showTime();
  showChoice();
  listen();
  settle();
  waiting.remove();
  const step = Number(new URLSearchParams(location.hash.slice(1)).get("step") ?? (location.hash ? 0 : 1));
  if (step >= 1 && step <= guided().length) goStep(step - 1, step > 1);
  document.body.dataset.ready = "true";
}

start().catch((error) => {
  document.getElementById("waiting").textContent = `The page could not be unpacked: ${error.message}`;
  throw error;
});
