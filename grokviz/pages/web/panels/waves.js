// Bars of every wave in the embedding, with a trace of the highest each has been.

register(
  "waves",
  class extends Panel {
    switches() {
      return [
        ["by", "bars", [["frequency", "frequencies"], ["component", "cos and sin"]]],
        ["scale", "scale", [["linear", "linear"], ["log", "log"]]],
      ]; // prettier-ignore
    }

    /** Norms by checkpoint and bar, and the highest so far. */
    heights() {
      const by = this.option("by");
      if (this.kept?.by === by) return this.kept;
      const { values, shape } = store.get("embedding_component_norm");
      const p = shape[1];
      const bars = by === "frequency" ? (p - 1) / 2 : p - 1;
      const now = new Float32Array(shape[0] * bars);
      const been = new Float32Array(shape[0] * bars);
      for (let i = 0; i < shape[0]; i++) {
        for (let n = 0; n < bars; n++) {
          const first = i * p + 1 + (by === "frequency" ? 2 * n : n);
          const value = by === "frequency" ? Math.hypot(values[first], values[first + 1]) : values[first];
          now[i * bars + n] = value;
          been[i * bars + n] = i ? Math.max(value, been[(i - 1) * bars + n]) : value;
        }
      }
      const at = Array.from({ length: bars }, (_, n) =>
        by === "frequency" ? n + 1 : 1 + (n >> 1) + (n % 2 ? 0.2 : -0.2),
      );
      const frequencies = at.map((place) => Math.round(place));
      this.kept = { by, now, been, bars, at, frequencies };
      return this.kept;
    }

    traces() {
      const { at, frequencies, by } = this.heights();
      const colours = frequencies.map((k) => (k === state.frequency ? markedColour(k) : colourOf(k)));
      const faint = (k) => state.frequency !== null && k !== state.frequency;
      const bar = (y, share) => ({
        type: "bar", x: at, y, width: by === "frequency" ? 0.74 : 0.36,
        marker: { color: colours, opacity: frequencies.map((k) => share * (faint(k) ? 0.28 : 1)), line: { width: 0 } },
        customdata: frequencies,
        hovertemplate: "frequency %{customdata}<br>norm %{y:.3g}<extra></extra>",
      }); // prettier-ignore
      const [been, now] = this.moved()[0].y;
      return [{ ...bar(been, 0.22), hoverinfo: "skip", hovertemplate: undefined }, bar(now, 1)];
    }

    moved() {
      const { now, been, bars } = this.heights();
      const part = (all) => all.subarray(state.at * bars, (state.at + 1) * bars);
      return [{ y: [part(been), part(now)] }, [0, 1]];
    }

    layout() {
      const { now, been, bars } = this.heights();
      const last = this.heights().frequencies.at(-1);
      const log = this.option("scale") === "log";
      const yaxis = (log ? logAxis : linearAxis)(log ? now : been.subarray(-bars), {
        title: "norm in the embedding", showgrid: true,
      }); // prettier-ignore
      const xaxis = axis({ title: "frequency of the wave", range: [0.2, last + 0.8], tickvals: ticksTo(last) });
      return layout({ barmode: "overlay", xaxis, yaxis, margin: { l: 52, r: 10, t: 22, b: 40 }, annotations: this.marks() });
    }

    height(width) {
      return width < 480 ? 260 : 350;
    }

    marks() {
      const marked = [...new Set([...facts.embedded, ...(state.frequency ? [state.frequency] : [])])];
      marked.sort((a, b) => a - b);
      const wide = Math.max(this.stage.clientWidth - 62, 1);
      const [low, high] = zoomOf(this)?.x ?? [0.2, this.heights().frequencies.at(-1) + 0.8];
      const seen = marked.filter((k) => k >= low && k <= high);
      const places = pushedApart(seen.map((k) => (k - low) / (high - low)), 23 / wide);
      return seen.map((k, n) =>
        note(`<b>${k}</b>`, places[n], 1, {
          xref: "paper", yref: "paper", xanchor: "center", yanchor: "bottom",
          colour: k === state.frequency ? markedColour(k) : colourOf(k),
          opacity: state.frequency === null || k === state.frequency ? 1 : 0.4,
        }),
      ); // prettier-ignore
    }

    clicked({ points }) {
      chooseFrequency(points[0].customdata);
    }

    say() {
      const { now, bars, frequencies } = this.heights();
      const heights = Array.from(now.subarray(state.at * bars, (state.at + 1) * bars));
      const most = Math.max(...heights);
      const large = [...new Set(frequencies.filter((_, n) => heights[n] > most / 4))];
      const named = large.length < 12 ? large.join(", ") : `${large.length} of them`;
      return `At ${facts.word} ${spaced(epoch())} these frequencies stand above a quarter of the largest: ${named}.`;
    }

    table() {
      const { now, bars, frequencies, by } = this.heights();
      const wave = (n) => (by === "frequency" ? "both" : n % 2 ? "sin" : "cos");
      const rows = [];
      epochs.forEach((at, i) => {
        for (let n = 0; n < bars; n++) rows.push([at, frequencies[n], wave(n), now[i * bars + n]]);
      });
      return { columns: [facts.word, "frequency", "wave", "norm"], rows };
    }
  },
);

/** Ticks of a frequency axis: 1, 10, 20, ... and the last one. */
function ticksTo(last) {
  const tens = [];
  for (let k = 10; k < last - 2; k += 10) tens.push(k);
  return [1, ...tens, last];
}
