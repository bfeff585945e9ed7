// What the reader has chosen: one moment, one frequency, one neuron, one head. Everything else
// on the page follows from it, and the address's fragment says it.

const state = {
  at: 0, // index on the epoch clock
  pin: null, // an epoch that stays beside the one shown
  frequency: null,
  neuron: null,
  head: 0,
  time: "linear",
  speed: 1,
  loop: false,
  theme: "light",
  options: {}, // "panel.option": value
  a: null, // the sum that the reader types
  b: null,
  notes: [], // { at: an epoch, text }
};

const listeners = { moment: [], choice: [], look: [], pin: [] };

/** Call `heard` whenever the moment, the choice, the look or what is pinned changes. */
function on(topic, heard) {
  listeners[topic].push(heard);
}

/** Change some of the state and tell who listens. */
function change(topic, changes) {
  if (inside) {
    postponed.push([topic, changes]);
    return;
  }
  const before = { ...state };
  Object.assign(state, changes);
  if (Object.keys(changes).every((key) => before[key] === state[key])) return;
  for (const heard of listeners[topic]) heard(before);
  remember();
}

let epochs = []; // the checkpoints of the view, and outside of one the slider's

const epoch = () => epochs[state.at];

/** Index of the checkpoint nearest to an epoch. */
function nearest(values, wanted) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low > 0 && wanted - values[low - 1] <= values[low] - wanted ? low - 1 : low;
}

/** Index on a coarser clock of the moment nearest to the one shown. */
function fieldAt() {
  return nearest(store.get("field_epoch").values, epoch());
}

/** Name of the phase of training that an epoch lies in; empty without phases. */
function phaseOf(wanted) {
  if (!facts.phases) return "";
  const n = facts.phases.ends.findIndex((end) => wanted <= end);
  return facts.phases.names[n < 0 ? facts.phases.names.length - 1 : n];
}

const DEFAULTS = { frequency: null, head: 0, a: null, b: null, time: "linear", speed: 1, loop: false };

/** The fragment that restores this view. */
function fragment() {
  const said = new URLSearchParams();
  if (epochs.length > 1) said.set(facts.word, epoch());
  for (const [key, usual] of Object.entries(DEFAULTS)) {
    if (state[key] !== usual) said.set(key, state[key]);
  }
  if (state.neuron !== null && state.neuron !== firstNeuron()) said.set("neuron", state.neuron);
  if (state.pin !== null) said.set("pin", state.pin);
  for (const [key, value] of Object.entries(state.options)) said.set(key, value);
  if (guide.at !== null) said.set("step", guide.at + 1);
  for (const { at, text } of state.notes) said.append("note", `${at} ${text}`);
  return said.toString();
}

function firstNeuron() {
  return store.has("neuron") ? store.get("neuron").values[0] : null;
}

let remembering = 0;

/** Write the fragment, at most a few times a second: browsers refuse more. */
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    try {
      history.replaceState(null, "", `#${fragment()}`);
    } catch {
      // a page inside a frame without an address of its own has nothing to remember
    }
  }, 200);
}

/** The state that a fragment says; whatever it says wrongly is passed over. */
function recalled(text) {
  const said = new URLSearchParams(text.replace(/^#/, ""));
  const found = {};
  const number = (key) => (said.has(key) && said.get(key).trim() ? Number(said.get(key)) : NaN);
  if (Number.isFinite(number(facts.word))) found.at = nearest(epochs, number(facts.word));
  found.pin = Number.isFinite(number("pin")) && epochs.length > 1 ? epochs[nearest(epochs, number("pin"))] : null;
  if (store.has("frequency") || facts.embedded.length) {
    const k = number("frequency");
    if (Number.isInteger(k) && k > 0 && k <= lastFrequency()) found.frequency = k;
  }
  const neurons = store.has("neuron") ? Array.from(store.get("neuron").values) : [];
  if (neurons.includes(number("neuron"))) found.neuron = number("neuron");
  const heads = store.has("head") ? store.get("head").values.length : 0;
  if (Number.isInteger(number("head")) && number("head") >= 0 && number("head") < heads) {
    found.head = number("head");
  }
  for (const key of ["a", "b"]) found[key] = Number.isInteger(number(key)) && number(key) >= 0 ? number(key) : null;
  if (["linear", "log"].includes(said.get("time"))) found.time = said.get("time");
  if (SPEEDS.includes(number("speed"))) found.speed = number("speed");
  if (said.get("loop") === "true") found.loop = true;
  found.options = {};
  for (const [key, value] of said) if (key.includes(".")) found.options[key] = value;
  found.notes = notesIn(said);
  return found;
}

const SPEEDS = [0.25, 0.5, 1, 2, 4];

/** The highest frequency there is: (p - 1) / 2. */
function lastFrequency() {
  if (store.has("frequency")) return store.get("frequency").values.at(-1);
  const components = facts.labels.component;
  return components ? (components.length - 1) / 2 : Math.max(0, ...facts.embedded);
}
