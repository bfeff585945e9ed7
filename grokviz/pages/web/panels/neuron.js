// The chosen neuron's activations over all pairs, rebuilt from its tables and the attention.

const neuronFields = new Map(); // the last one of each view, for both panels

/** The chosen neuron's field at the moment. */
function neuronField() {
  const [key, owner] = [`${state.neuron}@${fieldAt()}`, inside?.pinned ? `pinned ${runs.indexOf(inside.run)}` : runs.indexOf(inside?.run)];
  if (neuronFields.get(owner)?.key !== key) {
    neuronFields.set(owner, { key, field: activations(state.neuron, fieldAt()) });
  }
  return neuronFields.get(owner).field;
}

/** The largest value of a measure of the chosen neuron over the run, from every eighth moment. */
function largestOf(measure) {
  let largest = 0;
  const moments = store.get("field_epoch").shape[0];
  for (let n = 0; n < moments; n += 8) largest = Math.max(largest, measure(activations(state.neuron, n)));
  return Math.max(largest, measure(activations(state.neuron, moments - 1))) || 1;
}

const largest = (values) => values.reduce((a, b) => Math.max(a, b), 0);

register(
  "neuron",
  class extends Heatmap {
    moment() {
      return store.get("field_epoch").values[fieldAt()];
    }

    get across() {
      return (store.get("neuron_table").shape[3] - 1) / 2;
    }

    field() {
      return neuronField();
    }

    range() {
      if (this.ranged !== state.neuron) [this.ranged, this.top] = [state.neuron, largestOf(largest)];
      return [0, this.top];
    }

    axes() {
      return { xaxis: axis({ title: "b" }), yaxis: axis({ title: "a" }) };
    }

    hover() {
      return "a = %{y}, b = %{x}<br>activation %{z:.3g}<extra></extra>";
    }

    fillTools() {
      this.tools.replaceChildren(neuronPicker());
    }

    extra() {
      return `neuron ${state.neuron}`;
    }

    say() {
      const field = this.field();
      const active = field.filter((value) => value > 0).length;
      const most = short(largest(field));
      return `Neuron ${state.neuron} at ${facts.word} ${spaced(this.moment())}: above 0 at ${active} of ${field.length} pairs, at most ${most}.`;
    }

    table() {
      const p = this.across;
      const rows = Array.from(this.field(), (value, i) => [this.moment(), state.neuron, Math.floor(i / p), i % p, value]);
      return { columns: [facts.word, "neuron", "a", "b", "activation"], rows };
    }
  },
);

/** A list of the stored neurons, for those who do not click dots. */
function neuronPicker() {
  const ids = Array.from(store.get("neuron").values);
  const k = store.get("neuron_frequency").values;
  const list = element("select", { "aria-label": "Neuron", class: "neurons" });
  ids.forEach((id, n) => list.append(element("option", { value: id }, `neuron ${id} · ${k[n] ? `frequency ${k[n]}` : "no frequency"}`)));
  list.value = state.neuron;
  list.addEventListener("change", () => chooseNeuron(Number(list.value)));
  on("choice", () => (list.value = state.neuron));
  return list;
}
