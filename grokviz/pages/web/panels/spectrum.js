// The two-dimensional spectrum of the chosen neuron's activations.

register(
  "spectrum",
  class extends Heatmap {
    switches() {
      return [["scale", "scale", [["linear", "linear"], ["log", "log"]]]]; // prettier-ignore
    }

    moment() {
      return store.get("field_epoch").values[fieldAt()];
    }

    /** Share of the neuron's variance in each pair of waves. */
    shares() {
      const found = spectrum(neuronField());
      const all = found.reduce((sum, c) => sum + c * c, 0) || 1;
      return found.map((c) => (c * c) / all);
    }

    field() {
      const log = this.option("scale") === "log";
      return this.shares().map(log ? (s) => Math.log10(Math.max(s, 1e-12)) : Math.sqrt);
    }

    range() {
      return this.option("scale") === "log" ? [-6, 0] : [0, 0.3];
    }

    get across() {
      return (store.get("neuron_table").shape[3] - 1) / 2;
    }

    hover() {
      const log = this.option("scale") === "log";
      const value = log ? "10^%{z:.2f} of the variance" : "amplitude share %{z:.3f}";
      return `%{text}<br>${value}<extra></extra>`;
    }

    names() {
      const k = Array.from({ length: (this.across - 1) / 2 }, (_, n) => n + 1);
      return ["constant", ...k.flatMap((n) => [`cos ${n}`, `sin ${n}`])];
    }

    traces() {
      const names = this.names();
      const text = names.map((a) => names.map((b) => `${a} of a, ${b} of b`));
      return super.traces().map((trace) => ({ ...trace, text, xgap: 0 }));
    }

    axes() {
      const ticks = [10, 20, 30, 40, 50].filter((k) => k <= (this.across - 1) / 2);
      const given = { tickvals: ticks.map((k) => 2 * k - 0.5), ticktext: ticks.map(String) };
      return { xaxis: axis({ title: "frequency over b", ...given }), yaxis: axis({ title: "frequency over a", ...given }) };
    }

    layout() {
      const k = state.frequency;
      if (k === null) return super.layout();
      const line = { color: markedColour(k), width: 1.2 };
      const band = (x) => ({
        type: "rect", line, fillcolor: "rgba(0,0,0,0)",
        [x ? "xref" : "yref"]: "paper", [x ? "x0" : "y0"]: 0, [x ? "x1" : "y1"]: 1,
        [x ? "y0" : "x0"]: 2 * k - 1.5, [x ? "y1" : "x1"]: 2 * k + 0.5,
      }); // prettier-ignore
      return { ...super.layout(), shapes: [band(true), band(false)] };
    }

    extra() {
      return `neuron ${state.neuron}`;
    }

    say() {
      const names = this.names();
      const shares = Array.from(this.shares(), (share, i) => [share, i]).sort((x, y) => y[0] - x[0]).slice(0, 3);
      if (!shares[0][0]) return `Neuron ${state.neuron} does not vary at ${facts.word} ${spaced(this.moment())}.`;
      const said = shares.map(
        ([share, i]) => `${names[Math.floor(i / this.across)]} of a with ${names[i % this.across]} of b (${Math.round(100 * share)} %)`,
      );
      return `Largest shares of neuron ${state.neuron} at ${facts.word} ${spaced(this.moment())}: ${said.join("; ")}.`;
    }

    table() {
      const names = this.names();
      const rows = Array.from(this.shares(), (share, i) => [
        this.moment(), state.neuron, names[Math.floor(i / this.across)], names[i % this.across], share,
      ]); // prettier-ignore
      return { columns: [facts.word, "neuron", "wave of a", "wave of b", "share of variance"], rows };
    }
  },
);
