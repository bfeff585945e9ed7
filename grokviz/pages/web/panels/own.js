// Panels of variables that no other panel draws: users' measures, and what a dataset has of its
// own. Python says by the dimensions how one looks (own.py): curves over training time, a row or
// a matrix at the moment shown, or numbers of the whole run.

/** The variable of such a panel: its numbers, its clock, and what it runs along besides. */
class OwnVariable {
  constructor({ variables: [name], clock, meanings }) {
    Object.assign(this, { name, clock, meanings });
  }

  get field() {
    return store.get(this.name);
  }

  /** What it runs along besides its clock. */
  get dims() {
    return this.field.dims.slice(this.clock ? 1 : 0);
  }

  get sizes() {
    return this.field.shape.slice(this.clock ? 1 : 0);
  }

  get times() {
    return Array.from(store.get(this.clock).values);
  }

  get called() {
    return facts.variables[this.name].long_name ?? this.name.replaceAll("_", " ");
  }

  /** The epoch whose numbers are shown; "" where they are those of the whole run. */
  moment() {
    return this.clock ? this.times[nearest(this.times, epoch())] : "";
  }

  /** The numbers at the moment, row after row. */
  now() {
    return this.clock ? this.field.at(nearest(this.times, epoch())) : this.field.values;
  }

  /** Labels along a dimension, as text; places where it has no coordinate. */
  labels(dim) {
    const labels = this.field.labels(dim);
    const size = this.sizes[this.dims.indexOf(dim)];
    const all = labels.length ? labels : Array.from({ length: size }, (_, n) => n);
    return all.map((label) => (typeof label === "number" ? String(Number(label.toPrecision(6))) : label));
  }

  /** A dimension's name as a word. */
  word(dim) {
    return dim.replaceAll("_", " ");
  }

  /** A place along a dimension in words: "bit 3", or its label alone where that is a word. */
  place(dim, label) {
    return /^-?[\d.]/.test(label) ? `${this.word(dim)} ${label}` : label;
  }

  /** Every place along some dimensions, the last one fastest: [["layer 0", "head 0"], ...]. */
  places(dims) {
    const each = dims.map((dim) => this.labels(dim).map((label) => this.place(dim, label)));
    return each.reduce((all, places) => all.flatMap((a) => places.map((b) => [...a, b])), [[]]);
  }

  /** The least and the largest number over the whole run. */
  get range() {
    if (!this.ends) {
      let [low, high] = [Infinity, -Infinity];
      for (const value of this.field.values) {
        if (!Number.isFinite(value)) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      this.ends = low > high ? [0, 0] : [low, high];
    }
    return this.ends;
  }

  /** Scales to choose from: logarithmic first where positive numbers span many decades. */
  scales() {
    const [low, high] = this.range;
    const both = [["linear", "linear"], ["log", "log"]]; // prettier-ignore
    if (!(low > 0)) return both.slice(0, 1);
    return high / low > 1000 ? both.reverse() : both;
  }

  /** What stands at the axis of its numbers. */
  title() {
    const { units } = facts.variables[this.name];
    const unit = units && units !== "1" ? units : "";
    const whole = unit ? `${this.called} (${unit})` : this.called;
    return plainText(whole.length <= 36 ? whole : unit);
  }

  /** The moment at the beginning of a sentence. */
  when() {
    return this.clock ? `At ${facts.word} ${spaced(this.moment())}: ` : "";
  }

  /** The largest and the least of some numbers, where `place(n)` says the n-th one is. */
  extremes(values, place) {
    const known = Array.from(values.keys()).filter((n) => Number.isFinite(values[n]));
    if (!known.length) return "nothing is known";
    const most = known.reduce((a, b) => (values[b] > values[a] ? b : a));
    const least = known.reduce((a, b) => (values[b] < values[a] ? b : a));
    return `largest ${short(values[most])} at ${place(most)}, least ${short(values[least])} at ${place(least)}`;
  }
}

/** Ticks at places 0, 1, ... of an axis, at most so many. */
function ticksOf(labels, most) {
  const every = Math.ceil(labels.length / most);
  const places = Array.from(labels.keys()).filter((n) => n % every === 0);
  const text = (label) => plainText(label.length > 14 ? `${label.slice(0, 13)}…` : label);
  return { tickvals: places, ticktext: places.map((n) => text(labels[n])) };
}

/** How many labels stand beside one another. */
const roomFor = (labels, width) => Math.max(2, Math.floor(width / (7 * Math.min(Math.max(...labels.map((l) => l.length)), 14) + 14))); // prettier-ignore

/** A curve over training time for each of a few numbers. */
class OwnCurves extends Curves {
  constructor(about) {
    super(about);
    this.own = new OwnVariable(about);
  }

  switches() {
    return [["scale", "scale", this.own.scales()]];
  }

  unit() {
    return this.own.title();
  }

  colour(place, n, count) {
    const colours = palette().frequencies;
    if (count === 1) return palette().ink;
    return { train: palette().train, test: palette().test }[place] ?? colours[n % colours.length];
  }

  curves() {
    const places = this.own.places(this.own.dims).map((all) => all.join(", "));
    const { field, times } = this.own;
    const count = places.length;
    return places.map((place, n) => ({
      name: place || this.own.called, x: times, y: field.column(n), colour: this.colour(place, n, count), nameless: count === 1,
      dash: n < palette().frequencies.length ? undefined : "dot",
    })); // prettier-ignore
  }
}

/** Numbers along one dimension at the moment: bars, a line, or points where neither can be. */
class OwnRow extends Panel {
  constructor(about) {
    super(about);
    this.own = new OwnVariable(about);
  }

  get moves() {
    return this.own.clock !== "";
  }

  moment() {
    return this.own.moment();
  }

  stampText() {
    return this.moves ? super.stampText() : this.extra();
  }

  switches() {
    return [["scale", "scale", this.own.scales()]];
  }

  get dim() {
    return this.own.dims[0];
  }

  /** Its places as numbers: those of the coordinate where they ascend, else 0, 1, ... */
  xs() {
    const given = this.own.field.labels(this.dim);
    const ascends = given.length > 0 && given.every((x, n) => typeof x === "number" && (n === 0 || x > given[n - 1]));
    return { xs: ascends ? given : Array.from({ length: this.own.sizes[0] }, (_, n) => n), ascends };
  }

  /** bar, lines or markers. */
  kind() {
    const few = this.own.sizes[0] <= 64;
    const bars = this.own.range[0] >= 0 && this.option("scale") === "linear";
    if (few && bars) return "bar";
    return this.xs().ascends && !few ? "lines" : "markers";
  }

  values() {
    const log = this.option("scale") === "log";
    return Array.from(this.own.now(), (value) => (log && !(value > 0) ? NaN : value));
  }

  place(n) {
    return this.own.place(this.dim, this.own.labels(this.dim)[n]);
  }

  traces() {
    const { xs } = this.xs();
    const kind = this.kind();
    const colour = palette().frequencies[0];
    const places = this.own.labels(this.dim).map((label) => plainText(this.own.place(this.dim, label)));
    const gap = xs.slice(1).reduce((least, x, n) => Math.min(least, x - xs[n]), Infinity);
    const bars = { type: "bar", width: 0.8 * (Number.isFinite(gap) ? gap : 1), marker: { color: colour } };
    const line = { type: "scatter", mode: kind, line: { color: colour, width: 1.6, simplify: false }, marker: { color: colour, size: 7 } };
    const given = { x: xs, y: this.values(), customdata: places, hovertemplate: "%{customdata}<br>%{y:.4g}<extra></extra>" };
    return [{ ...(kind === "bar" ? bars : line), ...given }];
  }

  moved() {
    return [{ y: [this.values()] }, [0]];
  }

  layout() {
    const { xs, ascends } = this.xs();
    const [low, high] = this.own.range;
    const given = { title: this.own.title(), showgrid: true };
    const yaxis = this.option("scale") === "log" ? logAxis([low, high], given) : linearAxis([low, high], given);
    if (low < 0) Object.assign(yaxis, { zeroline: true, zerolinecolor: palette().faint });
    if (low < 0) yaxis.range[0] -= 0.06 * (yaxis.range[1] - low);
    const labels = this.own.labels(this.dim);
    const room = this.stage.clientWidth - 70;
    const steep = !ascends && labels.length > roomFor(labels, room);
    const ticks = ascends ? { nticks: 9 } : { ...ticksOf(labels, steep ? room / 15 : labels.length), tickangle: steep ? -45 : 0 };
    const side = xs.length > 1 ? 0.7 * Math.min((xs.at(-1) - xs[0]) / (xs.length - 1), (xs.at(-1) - xs[0]) / 8) : 0.7;
    const range = [xs[0] - side, xs.at(-1) + side];
    return layout({
      margin: { l: 56, r: 14, t: 10, b: steep ? 96 : 40 },
      xaxis: axis({ title: plainText(this.own.meanings[this.dim]), range, ...ticks }),
      yaxis,
    }); // prettier-ignore
  }

  extra() {
    return this.own.extremes(this.own.now(), (n) => this.place(n));
  }

  say() {
    return `${this.own.when()}${this.extra()}.`;
  }

  table() {
    const labels = this.own.labels(this.dim);
    const when = this.moves ? [this.moment()] : [];
    const rows = Array.from(this.own.now(), (value, n) => [...when, labels[n], value]);
    return { columns: [...(this.moves ? [facts.word] : []), this.own.word(this.dim), this.own.called], rows };
  }
}

/** Numbers along two dimensions at the moment; one more is chosen by buttons. */
class OwnMatrix extends Heatmap {
  constructor(about) {
    super(about);
    this.own = new OwnVariable(about);
  }

  get moves() {
    return this.own.clock !== "";
  }

  moment() {
    return this.own.moment();
  }

  stampText() {
    return this.moves ? super.stampText() : this.extra();
  }

  /** The dimensions down and across. */
  get plane() {
    return this.own.dims.slice(-2);
  }

  /** Which matrix: a button for each place of the dimensions before these two. */
  switches() {
    const dims = this.own.dims.slice(0, -2);
    if (!dims.length) return [];
    const places = this.own.places(dims).map((all, n) => [String(n), all.join(", ")]);
    return [["which", dims.map((dim) => this.own.word(dim)).join(", "), places]];
  }

  field() {
    const size = this.own.sizes.slice(-2).reduce((a, b) => a * b, 1);
    const n = this.switches().length ? Number(this.option("which")) : 0;
    return this.own.now().subarray(n * size, (n + 1) * size);
  }

  get across() {
    return this.own.sizes.at(-1);
  }

  get down() {
    return this.own.sizes.at(-2);
  }

  get signed() {
    return this.own.range[0] < 0;
  }

  range() {
    const [low, high] = this.own.range;
    const most = Math.max(-low, high) || 1;
    return this.signed ? [-most, most] : [0, most];
  }

  colours() {
    return this.signed ? palette().diverging : palette().sequential;
  }

  hover() {
    return "%{text}<br>%{z:.4g}<extra></extra>";
  }

  place(i) {
    const [down, across] = this.plane;
    const [row, column] = [this.downLabels[Math.floor(i / this.across)], this.acrossLabels[i % this.across]];
    return `${this.own.place(down, row)}, ${this.own.place(across, column)}`;
  }

  get downLabels() {
    return (this.downLabelled ??= this.own.labels(this.plane[0]));
  }

  get acrossLabels() {
    return (this.acrossLabelled ??= this.own.labels(this.plane[1]));
  }

  traces() {
    const text = Array.from({ length: this.down }, (_, row) =>
      Array.from({ length: this.across }, (_, column) => plainText(this.place(row * this.across + column))),
    );
    return super.traces().map((trace) => ({ ...trace, text }));
  }

  /** Room for the names of the rows. */
  get left() {
    return 34 + Math.min(7 * Math.max(...this.downLabels.map((label) => label.length)), 98);
  }

  side(width) {
    return super.side(width - this.left + LEFT);
  }

  /** Pixels high: cells are square unless the picture became too flat or too tall. */
  high(width) {
    return this.side(width) * Math.min(Math.max(this.down / this.across, 0.35), 1.4);
  }

  height(width) {
    return this.high(width) + 46;
  }

  layout() {
    const [down, across] = this.plane;
    const width = this.stage.clientWidth;
    const title = (dim) => plainText(this.own.meanings[dim]);
    const tall = Math.floor(this.high(width) / 18);
    return layout({
      margin: { l: this.left, r: width - this.left - this.side(width), t: 8, b: 38 },
      xaxis: axis({ title: title(across), range: [-0.5, this.across - 0.5], ...ticksOf(this.acrossLabels, roomFor(this.acrossLabels, this.side(width))) }),
      yaxis: axis({ title: title(down), range: [this.down - 0.5, -0.5], ...ticksOf(this.downLabels, Math.max(2, tall)) }),
    }); // prettier-ignore
  }

  extra() {
    return this.own.extremes(this.field(), (i) => this.place(i));
  }

  say() {
    return `${this.own.when()}${this.extra()}.`;
  }

  table() {
    const when = this.moves ? [this.moment()] : [];
    const rows = Array.from(this.field(), (value, i) => [
      ...when, this.downLabels[Math.floor(i / this.across)], this.acrossLabels[i % this.across], value,
    ]); // prettier-ignore
    return { columns: [...(this.moves ? [facts.word] : []), ...this.plane.map((dim) => this.own.word(dim)), this.own.called], rows };
  }
}

/** Single numbers and words of the whole run, as text. */
class OwnNumbers extends Panel {
  get zooms() {
    return false;
  }

  get moves() {
    return false;
  }

  moment() {
    return "";
  }

  stampText() {
    return "";
  }

  /** Each one's name, value and unit. */
  entries() {
    return this.about.variables.map((name) => {
      const { long_name: called, units } = facts.variables[name] ?? {};
      const value = store.has(name) ? store.get(name).values[0] : facts.labels[name][0];
      const text = typeof value === "number" ? String(Number(value.toPrecision(6))) : value;
      return [called ?? this.about.meanings[name], text, units && units !== "1" ? units : ""];
    });
  }

  build() {
    const whole = super.build();
    whole.querySelectorAll("[data-save=png], [data-save=svg]").forEach((button) => button.remove());
    this.plot.removeAttribute("role");
    this.plot.removeAttribute("aria-label");
    this.stage.style.minHeight = "0";
    const list = element("dl", { style: "display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: .4rem 0 1rem" });
    for (const [called, value, unit] of this.entries()) {
      list.append(element("dt", { style: "color: var(--muted)" }, called));
      list.append(element("dd", { style: "margin: 0" }, [value, unit].filter(Boolean).join(" ")));
    }
    this.plot.append(list);
    return whole;
  }

  redraw() {
    this.built = true;
    this.stale = false;
    this.wide = this.stage.clientWidth;
  }

  describe() {}

  table() {
    return { columns: ["name", "value", "unit"], rows: this.entries() };
  }
}

Object.assign(views, { curves: OwnCurves, row: OwnRow, matrix: OwnMatrix, numbers: OwnNumbers });
