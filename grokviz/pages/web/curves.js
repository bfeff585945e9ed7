// Panels of curves over training time: a cursor, names at the ends, linear or logarithmic.

/** Whole decades around positive values, as a logarithmic axis. */
function logAxis(values, given = {}) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value > 0 && value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > 0)) [low, high] = [0.1, 1];
  const range = [Math.log10(low), Math.log10(high)];
  const room = Math.max(0.06 * (range[1] - range[0]), 0.08);
  const decades = range[1] - range[0];
  const tick = decades > 9 ? 3 : decades > 4 ? 2 : 1;
  return axis({ type: "log", dtick: tick, range: [range[0] - room, range[1] + room], ...given });
}

/** From 0 (or the least value below it) to the largest value. */
function linearAxis(values, given = {}) {
  let [low, high] = [0, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!Number.isFinite(high) || high <= low) high = low + 1;
  return axis({ range: [low, high + 0.06 * (high - low)], nticks: 5, ...given });
}

/** Places as near to the wanted ones as they can be with room between them; wanted ascends. */
function pushedApart(wanted, room) {
  const groups = [];
  wanted.forEach((place, n) => {
    groups.push({ places: [place], from: n });
    for (;;) {
      const [before, last] = groups.slice(-2);
      if (groups.length < 2 || centre(before) + half(before) < centre(last) - half(last) + room) break;
      groups.splice(-2, 2, { places: [...before.places, ...last.places], from: before.from });
    }
  });
  function centre(group) {
    return group.places.reduce((a, b) => a + b, 0) / group.places.length;
  }
  function half(group) {
    return ((group.places.length - 1) * room) / 2 + room;
  }
  return groups.flatMap((group) =>
    group.places.map((_, n) => centre(group) + (n - (group.places.length - 1) / 2) * room),
  );
}

class Curves extends Panel {
  /** The curves: { name, x, y, colour, dash? }. */
  curves() {
    return [];
  }

  /** Title of the y axis. */
  unit() {
    return "";
  }

  switches() {
    return [["scale", "scale", [["log", "log"], ["linear", "linear"]]]]; // prettier-ignore
  }

  get overTime() {
    return true;
  }

  get moves() {
    return false;
  }

  /** Where the run's own curves end. */
  get end() {
    return this.shown.reduce((far, { x }) => Math.max(far, x.at(-1) ?? 0), epochs.at(-1)) || 1;
  }

  /** Where the axis ends: with the longer one of two runs. */
  get last() {
    return Math.max(this.end, clock.at(-1));
  }

  traces() {
    this.shown = this.curves().filter(({ y }) => y.some(Number.isFinite));
    const log = this.option("scale") === "log";
    return this.shown.map(({ name, x, y, colour, dash, width }) => ({
      type: "scatter", mode: x.length > 1 ? "lines" : "markers", x, name: plainText(name),
      y: log ? y.map((value) => (value > 0 ? value : NaN)) : y,
      line: { color: colour, width: width ?? 1.8, dash, simplify: true }, marker: { color: colour, size: 8 },
      hovertemplate: `${plainText(name)} %{y:.3g}<br>${facts.word} %{x:,}<extra></extra>`,
    })); // prettier-ignore
  }

  layout() {
    const all = this.shown.flatMap(({ y }) => Array.from(y));
    const log = this.option("scale") === "log";
    const yaxis = (log ? logAxis : linearAxis)(all, { title: this.unit(), showgrid: true });
    const longest = Math.max(0, ...this.shown.map(({ name, nameless }) => (nameless ? 0 : name.length)));
    const margin = { l: 56, r: 16 + Math.min(7.2 * longest, Math.max(130, 0.24 * this.stage.clientWidth)), t: facts.phases || facts.events.length ? 24 : 10, b: 40 };
    const alone = this.shown.every(({ x }) => x.length < 2);
    alignAxes(this, yaxis);
    const xaxis = alone ? axis({ title: facts.word, tickvals: epochs, ticktext: epochs.map(spaced) }) : timeAxis(this.last);
    zoomAxes(this, { xaxis, yaxis });
    return layout({
      margin, xaxis, yaxis,
      shapes: alone ? [] : [...phaseShapes(this.end), ...eventShapes()],
      annotations: [...this.names(yaxis, margin, endOf(xaxis)), ...this.phaseNames(xaxis, margin)],
    }); // prettier-ignore
  }

  /** Each curve's name at its right end, or where the axis ends. */
  names(yaxis, margin, end) {
    const high = this.height(this.stage.clientWidth) - margin.t - margin.b;
    const [low, top] = yaxis.range;
    const ends = this.shown.filter(({ nameless }) => !nameless).map(({ name, x, y, colour }) => {
      const known = Array.from(y).findLast((v, n) => x[n] <= end && Number.isFinite(v) && (yaxis.type !== "log" || v > 0));
      const value = yaxis.type === "log" ? Math.log10(known) : known;
      return { name, colour, share: (value - low) / (top - low) };
    }).filter(({ share }) => Number.isFinite(share)); // prettier-ignore
    ends.sort((a, b) => a.share - b.share);
    const places = pushedApart(ends.map(({ share }) => Math.min(Math.max(share, 0), 1)), 15 / high); // prettier-ignore
    const over = Math.max(0, (places.at(-1) ?? 0) - 1) || Math.min(0, places[0] ?? 0);
    return ends.map(({ name, colour }, n) =>
      note(`<b>${plainText(name)}</b>`, 1, places[n] - over, {
        xref: "paper", yref: "paper", xshift: 6, colour,
      }),
    ); // prettier-ignore
  }

  /** Names of the phases above their shades, where they fit. */
  phaseNames(xaxis, margin) {
    if (!xaxis.range) return [];
    if (!facts.phases) return eventNames(xaxis, this.stage.clientWidth - margin.l - margin.r);
    const wide = this.stage.clientWidth - margin.l - margin.r;
    const [low, high] = xaxis.range;
    const share = (e) => ((xaxis.type === "log" ? Math.log10(Math.max(e, 1)) : e) - low) / (high - low);
    const edges = [0, ...facts.phases.ends, this.end].map((e) => Math.min(Math.max(share(e), 0), 1));
    return facts.phases.names
      .map((name, n) => ({ name, at: (edges[n] + edges[n + 1]) / 2, room: (edges[n + 1] - edges[n]) * wide }))
      .filter(({ name, room }) => room > 6.2 * name.length)
      .map(({ name, at }) =>
        note(name, at, 1, { xref: "paper", yref: "paper", xanchor: "center", yanchor: "bottom", size: 11 }),
      );
  }

  /** Each curve's value at the moment shown, or at another. */
  values(at = epoch()) {
    return (this.shown ?? this.curves()).map(({ name, x, y }) => [name, y[nearest(x, at)]]);
  }

  extra() {
    return this.inWords(this.values());
  }

  inWords(values) {
    return values.slice(0, 6).map(([name, value]) => `${name} ${short(value)}`).join(" · "); // prettier-ignore
  }

  stampText() {
    const now = super.stampText();
    if (state.pin === null || epochs.length < 2) return now;
    return `${now} — pinned at ${facts.word} ${spaced(state.pin)}: ${this.inWords(this.values(state.pin))}`;
  }

  say() {
    const said = this.values().map(([name, value]) => `${name} ${short(value)}`);
    return `At ${facts.word} ${spaced(epoch())}: ${said.join(", ")}.`;
  }

  table() {
    const rows = [];
    for (const { name, x, y } of this.curves()) x.forEach((at, n) => rows.push([name, at, y[n]]));
    return { columns: ["curve", facts.word, this.unit() || "value"], rows };
  }
}

/** Where an axis of time ends; nowhere without a range. */
function endOf({ type, range }) {
  if (!range) return Infinity;
  return type === "log" ? 10 ** range[1] : range[1];
}

/** Let the same curves of two runs stand on one scale. */
function alignAxes(panel, yaxis) {
  if (alignAxes.busy || runs.length < 2 || !yaxis.range) return;
  alignAxes.busy = true;
  const others = shown.filter((one) => one.about.name === panel.about.name && one.view.run !== panel.view.run);
  for (const { about, view } of others) {
    const { type, title, range } = within(view, () => {
      const twin = new (kindOf(about))(about); // what it draws, without drawing it
      Object.assign(twin, { stage: panel.stage, view, measuring: true });
      twin.traces();
      return twin.layout().yaxis;
    });
    if (type !== yaxis.type || title?.text !== yaxis.title?.text) continue;
    yaxis.range = [Math.min(yaxis.range[0], range[0]), Math.max(yaxis.range[1], range[1])];
  }
  alignAxes.busy = false;
}

/** A curve of a variable over the epoch clock; `j` is its place in the further dimensions. */
function overEpochs(variable, name, colour, j = 0, given = {}) {
  return { name, x: epochs, y: store.get(variable).column(j), colour, ...given };
}
