// The mean logit by a + b - c, and the key waves that make it.

register(
  "logits",
  class extends Panel {
    switches() {
      return [["waves", "waves", [["sum", "sum"], ["each", "each wave"]]]]; // prettier-ignore
    }

    get p() {
      return store.get("logit_wave").shape[1];
    }

    /** The answer in the middle: a + b - c from -(p - 1) / 2 up. */
    get shifts() {
      return Array.from({ length: this.p }, (_, n) => n - (this.p - 1) / 2);
    }

    centred(values) {
      return this.shifts.map((s) => values[(s + this.p) % this.p]);
    }

    wave(k) {
      const height = store.get("cosine_coefficient").at(state.at)[k - 1] * Math.sqrt(2 / this.p ** 3);
      return this.shifts.map((s) => height * Math.cos((2 * Math.PI * k * s) / this.p));
    }

    lines() {
      const marked = state.frequency !== null ? [state.frequency] : [];
      const each = this.option("waves") === "each" ? [...new Set([...facts.keys, ...marked])] : marked;
      const waves = each.map((k) => ({
        name: `wave ${k}`, y: this.wave(k), colour: markedColour(k),
        width: k === state.frequency ? 2.6 : 1.2, opacity: marked.length && k !== state.frequency ? 0.35 : 0.9,
      })); // prettier-ignore
      const mean = { name: "mean logit", y: this.centred(store.get("logit_wave").at(state.at)), colour: palette().ink, width: 1.8, opacity: 1 };
      return [...waves, mean];
    }

    traces() {
      return this.lines().map(({ name, y, colour, width, opacity }) => ({
        type: "scatter", mode: "lines", x: this.shifts, y, name, opacity, line: { color: colour, width },
        hovertemplate: `${name}<br>a + b − c = %{x}<br>%{y:.3g} logits<extra></extra>`,
      })); // prettier-ignore
    }

    moved() {
      const y = this.lines().map((line) => line.y);
      return [{ y }, y.map((_, n) => n)];
    }

    layout() {
      const all = store.get("logit_wave").values;
      const [low, high] = all.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [0, 0]);
      const room = 0.05 * (high - low) || 1;
      return layout({
        margin: { l: 52, r: 14, t: 10, b: 40 },
        xaxis: axis({ title: "a + b − c (mod p)", nticks: 7 }),
        yaxis: axis({ title: "logits", range: [low - room, high + room], showgrid: true, nticks: 5 }),
      });
    }

    say() {
      const mean = this.centred(store.get("logit_wave").at(state.at));
      const [first, second] = [...mean].sort((a, b) => b - a);
      return `At ${facts.word} ${spaced(epoch())} the mean logit at the answer is ${short(mean[(this.p - 1) / 2])}; the largest are ${short(first)} and ${short(second)}.`;
    }

    table() {
      const lines = this.lines();
      const rows = this.shifts.map((s, n) => [epoch(), s, ...lines.map(({ y }) => y[n])]);
      return { columns: [facts.word, "a + b - c", ...lines.map(({ name }) => name)], rows };
    }
  },
);
