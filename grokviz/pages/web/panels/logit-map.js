// W_L = W_U W_out: its key rows for every neuron, cluster by cluster, or the norm of each wave.

register(
  "logit-map",
  class extends Heatmap {
    switches() {
      return [["show", "view", [["neurons", "by neuron"], ["norms", "norms"]]]]; // prettier-ignore
    }

    get norms() {
      return this.option("show") === "norms";
    }

    moment() {
      return this.norms ? epoch() : store.get("field_epoch").values[fieldAt()];
    }

    /** Neurons cluster by cluster, within each by their phase in the last checkpoint. */
    get order() {
      if (this.ordered) return this.ordered;
      const map = store.get("neuron_logit_key");
      const [, , count] = map.shape;
      const last = map.at(map.shape[0] - 1);
      const place = Array.from(store.get("all_neuron_cluster").values, (k) => {
        const at = facts.keys.indexOf(k);
        return at < 0 ? facts.keys.length : at;
      });
      const phase = place.map((at, n) => {
        const row = 2 * Math.min(at, facts.keys.length - 1);
        // a zero of either sign is one phase
        return Math.atan2(last[(row + 1) * count + n] || 0, last[row * count + n] || 0);
      });
      const order = Array.from(place.keys()).sort((a, b) => place[a] - place[b] || phase[a] - phase[b]);
      this.ordered = { order, sizes: [...facts.keys, -1].map((_, n) => place.filter((at) => at === n).length) };
      return this.ordered;
    }

    get across() {
      return store.get("neuron_logit_key").shape[2];
    }

    field() {
      const now = store.get("neuron_logit_key").at(fieldAt());
      const { order } = this.order;
      const count = this.across;
      return Float32Array.from(now, (_, i) => now[Math.floor(i / count) * count + order[i % count]]);
    }

    range() {
      const map = store.get("neuron_logit_key");
      const sizes = Float32Array.from(map.at(map.shape[0] - 1), Math.abs).sort();
      const far = sizes[Math.floor(0.998 * (sizes.length - 1))] || 1;
      return [-far, far];
    }

    colours() {
      return palette().diverging;
    }

    hover() {
      return "%{y}, neuron %{text}<br>%{z:.3g}<extra></extra>";
    }

    heights() {
      return store.get("neuron_logit_component_norm").at(state.at).subarray(1);
    }

    traces() {
      if (!this.norms) {
        const y = facts.labels.key_component;
        return super.traces().map((t) => ({ ...t, y, text: y.map(() => this.order.order) }));
      }
      const k = Array.from(this.heights(), (_, n) => 1 + (n >> 1));
      return [
        { type: "bar", x: k.map((f, n) => f + (n % 2 ? 0.2 : -0.2)), y: this.heights(), width: 0.36, customdata: k,
          marker: { color: k.map((f) => (f === state.frequency ? markedColour(f) : colourOf(f))), line: { width: 0 },
            opacity: k.map((f) => (state.frequency === null || f === state.frequency ? 1 : 0.28)) },
          hovertemplate: "frequency %{customdata}<br>norm %{y:.3g}<extra></extra>" },
      ]; // prettier-ignore
    }

    moved() {
      return this.norms ? [{ y: [this.heights()] }, [0]] : super.moved();
    }

    layout() {
      if (this.norms) {
        const last = this.heights().length / 2;
        return layout({
          margin: { l: 52, r: 10, t: 12, b: 40 },
          xaxis: axis({ title: "frequency over the classes", range: [0.2, last + 0.8], tickvals: ticksTo(last) }),
          yaxis: linearAxis(store.get("neuron_logit_component_norm").values, { title: "norm in W_L", showgrid: true }),
        });
      }
      const rows = facts.labels.key_component;
      const at = facts.keys.indexOf(state.frequency);
      const marked = at < 0 ? [] : [{ type: "rect", xref: "paper", x0: 0, x1: 1, y0: 2 * at - 0.5, y1: 2 * at + 1.5,
        fillcolor: "rgba(0,0,0,0)", line: { color: markedColour(state.frequency), width: 2 } }]; // prettier-ignore
      return layout({
        margin: { l: 56, r: 52, t: 24, b: 30 },
        xaxis: axis({ title: "neurons, cluster by cluster", showticklabels: false }),
        yaxis: axis({ autorange: "reversed", type: "category", tickvals: rows, ticktext: rows }),
        shapes: [...this.brackets(), ...marked],
        annotations: this.counts(),
      });
    }

    spans() {
      let start = 0;
      return this.order.sizes.map((size, n) => {
        start += size;
        return { k: facts.keys[n] ?? null, size, from: start - size - 0.5, to: start - 0.5 };
      }).filter(({ size }) => size); // prettier-ignore
    }

    brackets() {
      return this.spans().map(({ k, from, to }) => ({
        type: "line", yref: "paper", x0: from + 1, x1: to - 1, y0: 1.025, y1: 1.025,
        line: { color: k === null ? palette().faint : colourOf(k), width: 3 },
      })); // prettier-ignore
    }

    counts() {
      const pixel = (this.stage.clientWidth - 108) / this.across;
      const text = (k, size) => {
        const long = k === null ? `${size} others` : `${k} · ${size}`;
        if (size * pixel > 6.4 * long.length) return k === null ? long : `<b>${k}</b> · ${size}`;
        return k === null || size * pixel < 15 ? "" : `<b>${k}</b>`;
      };
      return this.spans().map(({ k, size, from, to }) =>
        note(text(k, size), (from + to) / 2, 1.03, {
          yref: "paper", xanchor: "center", yanchor: "bottom", size: 11,
          colour: k === null ? palette().muted : colourOf(k),
        }),
      ); // prettier-ignore
    }

    height(width) {
      return width < 480 ? 260 : 300;
    }

    clicked({ points: [{ y, customdata }] }) {
      chooseFrequency(this.norms ? customdata : facts.keys[facts.labels.key_component.indexOf(y) >> 1]);
    }

    say() {
      const norms = store.get("neuron_logit_component_norm").at(state.at);
      const power = (k) => norms[2 * k - 1] ** 2 + norms[2 * k] ** 2;
      const all = norms.reduce((sum, v) => sum + v * v, 0) || 1;
      const share = facts.keys.reduce((sum, k) => sum + power(k), 0) / all;
      return `At ${facts.word} ${spaced(epoch())} the key frequencies ${facts.keys.join(", ")} hold ${Math.round(100 * share)} % of W_L's squares.`;
    }

    table() {
      if (this.norms) {
        const names = facts.labels.component;
        const norms = store.get("neuron_logit_component_norm").at(state.at);
        return { columns: [facts.word, "component", "norm"], rows: names.map((name, n) => [epoch(), name, norms[n]]) };
      }
      const now = store.get("neuron_logit_key").at(fieldAt());
      const rows = Array.from(now, (value, i) => [
        this.moment(), facts.labels.key_component[Math.floor(i / this.across)], i % this.across, value,
      ]); // prettier-ignore
      return { columns: [facts.word, "component", "neuron", "W_L"], rows };
    }
  },
);
