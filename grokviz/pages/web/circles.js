// The residues in the plane of each embedded frequency, one circle beside the other.

class Circles extends Panel {
  get frequencies() {
    return Array.from(store.get("embedded_frequency").values);
  }

  /** As many beside one another as fill the panel's shape. */
  get columns() {
    const shape = this.stage.clientWidth > 700 ? 3 : 1.5;
    return Math.min(this.frequencies.length, Math.ceil(Math.sqrt(shape * this.frequencies.length)));
  }

  /** How far from the middle nearly every dot stays: one scale for the whole run. */
  get reach() {
    if (this.far) return this.far;
    const { values } = store.get("embedding_plane");
    const lengths = new Float32Array(values.length / 2);
    for (let n = 0; n < lengths.length; n++) lengths[n] = Math.hypot(values[2 * n], values[2 * n + 1]);
    lengths.sort();
    this.far = lengths[Math.floor(0.98 * (lengths.length - 1))] || 1;
    return this.far;
  }

  /** Where the middle of one circle lies in the grid. */
  middle(n) {
    const room = 2.3 * this.reach;
    return [(n % this.columns) * room, -Math.floor(n / this.columns) * room * 1.12];
  }

  /** Dots of one circle, moved to its place in the grid. */
  dots(n) {
    const plane = store.get("embedding_plane");
    const [, , p] = plane.shape;
    const now = plane.at(state.at).subarray(n * p * 2, (n + 1) * p * 2);
    const [x, y] = [new Float32Array(p), new Float32Array(p)];
    const [left, down] = this.middle(n);
    for (let r = 0; r < p; r++) {
      x[r] = left + now[2 * r];
      y[r] = down + now[2 * r + 1];
    }
    return { x, y };
  }

  /** Residues in the order in which the frequency goes through them. */
  order(k) {
    const p = store.get("embedding_plane").shape[2];
    const order = Array.from({ length: p }, (_, r) => r);
    order.sort((a, b) => ((a * k) % p) - ((b * k) % p));
    return [...order, order[0]];
  }

  traces() {
    return this.frequencies.flatMap((k, n) => {
      const { x, y } = this.dots(n);
      const faint = state.frequency !== null && state.frequency !== k;
      const order = this.order(k);
      const colour = colourOf(k);
      return [
        { type: "scatter", mode: "lines", x: order.map((r) => x[r]), y: order.map((r) => y[r]),
          line: { color: colour, width: 0.8 }, opacity: faint ? 0.1 : 0.38, hoverinfo: "skip" },
        { type: "scatter", mode: "markers", x, y, opacity: faint ? 0.2 : 0.95,
          marker: { color: colour, size: 4.2 }, customdata: Array.from(x, (_, r) => [r, k]),
          hovertemplate: "residue %{customdata[0]}<br>frequency %{customdata[1]}<extra></extra>" },
      ];
    }); // prettier-ignore
  }

  moved() {
    const [xs, ys] = [[], []];
    this.frequencies.forEach((k, n) => {
      const { x, y } = this.dots(n);
      const order = this.order(k);
      xs.push(order.map((r) => x[r]), x);
      ys.push(order.map((r) => y[r]), y);
    });
    return [{ x: xs, y: ys }, xs.map((_, n) => n)];
  }

  layout() {
    const room = 2.3 * this.reach;
    const rows = Math.ceil(this.frequencies.length / this.columns);
    const marks = this.frequencies.map((k, n) =>
      note(`<b>${k}</b>`, (n % this.columns) * room - 0.98 * this.reach, -Math.floor(n / this.columns) * room * 1.12 + 0.92 * this.reach, {
        xanchor: "left", yanchor: "middle", colour: colourOf(k), size: 13,
        opacity: state.frequency === null || state.frequency === k ? 1 : 0.4,
      }),
    ); // prettier-ignore
    const hidden = { visible: false };
    return layout({
      margin: { l: 4, r: 4, t: 4, b: 4 },
      xaxis: axis({ ...hidden, range: [-room / 2, (this.columns - 0.5) * room], constrain: "domain" }),
      yaxis: axis({ ...hidden, range: [-(rows - 0.5) * room * 1.12, 0.6 * room], scaleanchor: "x", constrain: "domain" }),
      annotations: marks,
    });
  }

  height(width) {
    const rows = Math.ceil(this.frequencies.length / this.columns);
    return Math.min(Math.max((width / this.columns) * 1.02 * rows, 220), 400);
  }

  clicked({ points }) {
    chooseFrequency(points[0].customdata[1]);
  }

  say() {
    const said = this.frequencies.map((k, n) => {
      const { x, y } = this.dots(n);
      const [left, down] = this.middle(n);
      const radius = Array.from(x, (value, r) => Math.hypot(value - left, y[r] - down));
      const mean = radius.reduce((a, b) => a + b, 0) / radius.length;
      const spread = Math.sqrt(radius.reduce((a, r) => a + (r - mean) ** 2, 0) / radius.length);
      return `frequency ${k} has radius ${short(mean)}, spread ${Math.round((100 * spread) / (mean || 1))} %`;
    });
    return `At ${facts.word} ${spaced(epoch())}: ${said.join("; ")}.`;
  }

  table() {
    const plane = store.get("embedding_plane").at(state.at);
    const p = store.get("embedding_plane").shape[2];
    const rows = this.frequencies.flatMap((k, n) =>
      Array.from({ length: p }, (_, r) => [epoch(), k, r, plane[(n * p + r) * 2], plane[(n * p + r) * 2 + 1]]),
    );
    return { columns: [facts.word, "frequency", "residue", "cos axis", "sin axis"], rows };
  }
}
