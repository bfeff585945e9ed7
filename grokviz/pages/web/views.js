// What a chart shows: a run at a moment. A page has a view for each of its runs, which follows
// the slider, and one more for each where the reader has pinned an epoch. While a chart is drawn,
// facts, store, epochs and state speak of its view; else of the first run and of the slider.

const runs = []; // { facts, store, epochs, beside }, set once, by page.js

let clock = []; // the checkpoints that the slider goes through: those of all runs
let inside = null; // the view whose chart is being drawn
let slider = 0; // the slider's place, also inside a view

class View {
  constructor(run, pinned = null) {
    Object.assign(this, { run, pinned });
  }

  /** Index of the run's checkpoint that is nearest to the slider, or to what is pinned. */
  get at() {
    return nearest(this.run.epochs, this.pinned ?? clock[slider]);
  }

  /** What stands over its charts, where they are not alone. */
  get label() {
    const name = runs.length > 1 ? this.run.facts.run.name || "run" : "";
    if (state.pin === null || runs[0].epochs.length < 2) return name;
    const moment = this.pinned === null ? "B, the slider" : `A, pinned at ${facts.word} ${spaced(this.pinned)}`;
    return [name, moment].filter(Boolean).join(" · ");
  }
}

const postponed = []; // changes asked for inside a view: they are the page's, not the view's

const ownOf = ({ neuron, head, frequency }) => ({ neuron, head, frequency });

/** Do some work in a view. */
function within(view, work) {
  if (inside === view) return work();
  const before = { facts, store, epochs, inside, at: state.at, own: ownOf(state) };
  if (!inside) slider = state.at;
  ({ facts, store, epochs } = view.run);
  inside = view;
  state.at = view.at;
  ownChoice();
  try {
    return work();
  } finally {
    ({ facts, store, epochs, inside } = before);
    Object.assign(state, { at: before.at, ...before.own });
    if (!inside) for (const args of postponed.splice(0)) change(...args);
  }
}

/** Each of two runs has neurons, heads and frequencies of its own. */
function ownChoice() {
  if (runs.length < 2) return;
  const neurons = store.has("neuron") ? Array.from(store.get("neuron").values) : [];
  if (!neurons.includes(state.neuron)) state.neuron = firstNeuron();
  if (state.frequency > lastFrequency()) state.frequency = null;
  if (store.has("head")) state.head = Math.min(state.head, store.get("head").values.length - 1);
}

const ENTRIES = [
  "build", "seen", "show", "redraw", "settle", "describe", "saved", "csv", "moment", "stampText", "say", "fillTools", "values",
]; // prettier-ignore

/** The panel of these facts, all of whose work is done in its view. */
function panelOf(about, view) {
  const panel = within(view, () => new (kindOf(about))(about));
  panel.view = view;
  for (const name of ENTRIES) {
    const method = panel[name]?.bind(panel);
    if (method) panel[name] = (...given) => within(view, () => method(...given));
  }
  return panel;
}

/** One panel of the page: a chart for each view, beside one another under one heading. */
class Group {
  /** `abouts`: for each run what its panel is, or nothing. */
  constructor(abouts) {
    this.abouts = abouts;
    this.charts = runs.flatMap((run, n) => (abouts[n] ? [panelOf(abouts[n], new View(run))] : []));
    this.pinned = [];
    [this.first] = this.charts;
    this.element = this.first.build();
    this.frames = this.first.frame.parentElement;
    for (const chart of this.charts.slice(1)) this.add(chart);
    this.pin();
  }

  add(chart, before = null) {
    chart.build();
    this.frames.insertBefore(chart.frame, before);
  }

  /** Set or take away the charts of the pinned epoch. */
  pin() {
    for (const chart of this.pinned.splice(0)) {
      chart.frame.remove();
      forget(chart);
    }
    for (const chart of state.pin === null ? [] : this.charts.filter((one) => one.moves)) {
      const twin = panelOf(chart.about, new View(chart.view.run, state.pin));
      this.add(twin, chart.frame);
      this.pinned.push(twin);
      watch(twin);
    }
    const all = [...this.pinned, ...this.charts];
    for (const chart of all) {
      chart.which.textContent = all.length > 1 || runs.length > 1 ? chart.view.label : "";
      chart.which.hidden = !chart.which.textContent;
    }
    this.element.classList.toggle("paired", all.length > 1);
  }

  /** The other charts that show the same panel of another run. */
  others(chart) {
    return [...this.pinned, ...this.charts].filter((one) => one.view.run !== chart.view.run);
  }
}
