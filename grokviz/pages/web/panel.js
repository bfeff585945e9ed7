// A panel: a heading, its switches, a chart, what can be saved, and what it is.
//
// A panel's class says what it draws: traces() and layout() for the state as it is, moved() for
// what a step of the slider changes in it, table() for its numbers, say() for one sentence.

const panels = {};

/** Make a panel known under the name that panels.py gives it. */
function register(name, Kind) {
  panels[name] = Kind;
}

const views = {}; // of variables that no panel of ours draws (own.py), by how they are drawn

const kindOf = ({ name, view }) => (view ? views[view] : panels[name]);

/** An element with attributes and children; texts are set as text. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A group of buttons of which one is pressed. */
function choice(label, values, current, chosen) {
  const group = element("div", { class: "choice", role: "group", "aria-label": label });
  for (const [value, text] of values) {
    const button = element("button", { type: "button", "data-value": String(value) }, text);
    button.setAttribute("aria-pressed", String(value === current));
    button.addEventListener("click", () => {
      for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
      chosen(value);
    });
    group.append(button);
  }
  group.show = (value) => {
    for (const other of group.children) {
      other.setAttribute("aria-pressed", String(other.dataset.value === String(value)));
    }
  };
  return group;
}

class Panel {
  /** Switches: [key, label, [[value, text], ...]]; the first value is the usual one. */
  switches() {
    return [];
  }

  /** Whether a step of the slider changes anything but the cursor. */
  get moves() {
    return true;
  }

  /** Whether the chart's x axis is training time: then it has a cursor and can be dragged on. */
  get overTime() {
    return false;
  }

  /** Whether the reader can zoom into it: wherever plotly has drawn axes of ours. */
  get zooms() {
    return true;
  }

  /** Traces for the state as it is. */
  traces() {
    return [];
  }

  layout() {
    return layout({});
  }

  /** What a step changes: [update, indices of the traces], as Plotly.restyle takes it. */
  moved() {
    return null;
  }

  /** The numbers shown now: { columns, rows }. */
  table() {
    return { columns: [], rows: [] };
  }

  /** What the panel shows now, in one sentence. */
  say() {
    return "";
  }

  /** The moment that is truly drawn, which on a coarser clock is a near one. */
  moment() {
    return epoch();
  }

  constructor(about) {
    this.about = about;
    this.stale = true;
    this.built = false;
    this.visible = false;
  }

  option(key) {
    const [, , values] = this.switches().find(([name]) => name === key);
    const wanted = state.options[`${this.about.name}.${key}`];
    return values.find(([value]) => value === wanted)?.[0] ?? values[0][0];
  }

  /** The panel's element; the chart is drawn when it first comes into view. */
  build() {
    const { name, title, note: text, width } = this.about;
    const id = `title-${name}`;
    this.plot = element("div", { class: "plot", role: "img", "aria-label": title });
    this.cursor = element("div", { class: "cursor", "aria-hidden": "true", hidden: true });
    this.held = element("div", { class: "cursor held", "aria-hidden": "true", hidden: true });
    this.stage = element("div", { class: "stage" }, this.plot, this.held, this.cursor);
    this.tools = element("div", { class: "tools" });
    this.stamp = element("span", { class: "stamp" });
    this.which = element("p", { class: "which", hidden: true });
    this.frame = element("div", { class: "view" }, this.which, this.stage, element("footer", {}, this.stamp, this.savers(), this.definitions()));
    this.element = element(
      "section",
      { class: `panel ${width}`, id: `panel-${name}`, "aria-labelledby": id },
      element("header", {}, element("div", {}, element("h2", { id }, title), element("p", {}, text)), this.tools),
      element("div", { class: "views" }, this.frame),
    );
    this.fillTools();
    if (this.overTime && epochs.length > 1) this.scrub();
    return this.element;
  }

  fillTools() {
    const groups = this.switches().filter(([, , values]) => values.length > 1).map(([key, label, values]) =>
      choice(`${this.about.title}: ${label}`, values, this.option(key), (value) => {
        const { [zoomKey(this)]: _, ...options } = state.options; // another scale has other ranges
        change("look", { options: { ...options, [`${this.about.name}.${key}`]: value } });
        for (const chart of shown) if (chart.about.name === this.about.name) chart.redraw();
      }),
    );
    this.tools.replaceChildren(...groups);
  }

  savers() {
    const { name, title } = this.about;
    const button = (kind, save) =>
      element(
        "button",
        { type: "button", class: "save", "data-save": kind, "aria-label": `Save ${title} as ${kind.toUpperCase()}`, onclick: save },
        kind.toUpperCase(),
      );
    const at = () => (this.moment() === "" ? "" : `-${facts.word}-${this.moment()}`);
    const whose = () => (runs.length > 1 ? `${this.view.run.facts.run.name.replace(/[^\w.=-]+/g, "-")}-` : "");
    const file = (kind) => `${whose()}${facts.scene || name}${at()}.${kind}`;
    const draw = (kind, type) => async () => {
      if (this.built) this.settle();
      else this.redraw();
      download(file(kind), await this.saved(kind), type);
    };
    return element(
      "span",
      { class: "savers" },
      button("png", draw("png", "image/png")),
      button("svg", draw("svg", "image/svg+xml")),
      button("csv", () => download(file("csv"), this.csv(), "text/csv")),
      ...(this.zooms ? [zoomable(this)] : []),
    );
  }

  /** The chart as the content of a picture's file. */
  saved(kind) {
    const { title } = this.about;
    return picture(this.plot, kind, { title, moment: this.stampText(), shapes: this.cursorShapes() });
  }

  /** What each variable is, from the dataset itself. */
  definitions() {
    const list = element("dl");
    for (const name of this.about.variables) {
      const { long_name: called, definition, units, source, scale, type } = facts.variables[name] ?? {};
      list.append(element("dt", {}, called ? `${called} (${name})` : name));
      const kept = type === "u2" ? `kept in steps of ${short(scale)}` : "";
      const said = [definition, units && units !== "1" ? `unit: ${units}` : "", source, kept];
      list.append(element("dd", {}, said.filter(Boolean).join("; ")));
    }
    return element("details", { class: "about" }, element("summary", {}, "About"), list);
  }

  csv() {
    const { columns, rows } = this.table();
    const cell = (value) => {
      const text = value === null || Number.isNaN(value) ? "" : String(value);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  stampText() {
    const said = epochs.length > 1 || this.moment() ? `${facts.word} ${spaced(this.moment())}` : "";
    return [said, this.extra()].filter(Boolean).join(" · ");
  }

  /** What the stamp says beside the moment. */
  extra() {
    return "";
  }

  /** Draw everything anew: a choice, a switch, the theme or the time axis changed. */
  redraw() {
    const width = this.stage.clientWidth;
    if (!width) {
      // hidden for now, as in a tab of a notebook that is not shown
      this.stale = true;
      return;
    }
    this.built = true;
    this.stale = false;
    this.drawn = this.moment();
    this.wide = width;
    const height = Math.round(this.height(width));
    this.stage.style.height = `${height}px`;
    this.unsettled = false;
    if (!zoomOf(this) || !this.whole) this.drawWhole({ width, height });
    if (zoomOf(this)) this.drawPart({ width, height });
    this.stage.classList.toggle("zoomed", zoomOf(this) !== null);
    uncover(this.plot);
    this.after();
  }

  /** Draw the whole chart, and remember how far its axes go. */
  drawWhole(size) {
    this.measuring = true;
    const [traces, given] = [this.traces(), this.layout()];
    this.measuring = false;
    Plotly.react(this.plot, traces, { ...given, ...size }, CONFIG);
    const { xaxis, yaxis } = this.plot._fullLayout;
    this.whole = xaxis && yaxis ? { x: [...xaxis.range], y: [...yaxis.range] } : null;
  }

  /** Draw the part that the reader has zoomed to. */
  drawPart(size) {
    const [traces, given] = [this.traces(), this.layout()];
    zoomAxes(this, given);
    Plotly.react(this.plot, traces, { ...given, ...size }, CONFIG);
    if (!this.zooming) zoomMode(this, true);
  }

  /** Pixels high for a width. */
  height(width) {
    return width < 480 ? 260 : 300;
  }

  /** Show the moment that the state says. */
  show() {
    if (!this.visible) {
      this.stale = true;
      return;
    }
    if (!this.built) {
      this.redraw();
      return;
    }
    this.stale = false;
    const fresh = this.drawn !== this.moment();
    this.drawn = this.moment();
    const changes = this.moves && fresh ? this.moved() : null;
    if (changes) {
      this.unsettled = !grokviz.anew && moveMarks(this.plot, ...changes);
      if (!this.unsettled) Plotly.restyle(this.plot, ...changes);
    }
    this.after();
  }

  /** Let plotly itself draw what was only moved: then hovering and saving see it too. */
  settle() {
    if (!this.unsettled || !this.built) return;
    this.unsettled = false;
    Plotly.restyle(this.plot, ...this.moved());
    uncover(this.plot);
  }

  after() {
    this.stamp.textContent = this.stampText();
    this.moveCursor();
    if (!this.clicked || this.clicks) return;
    this.clicks = true;
    this.plot.on("plotly_click", (event) => within(this.view, () => this.clicked(event)));
  }

  /** Its turn in view: draw what was put off. */
  seen(visible) {
    this.visible = visible;
    if (!visible) return;
    if (this.stale || !this.built) this.show();
    else if (!this.unsettled) return; // moved just before it went out of view
    settle();
  }

  describe() {
    this.plot.setAttribute("aria-label", `${this.about.title}. ${this.say()}`);
  }

  /** Where on the stage an epoch is, in pixels; null outside the axis. */
  place(wanted) {
    const { margin, xaxis } = this.plot.layout;
    const [low, high] = xaxis.range;
    const value = xaxis.type === "log" ? Math.log10(Math.max(wanted, 10 ** low)) : wanted;
    const share = (value - low) / (high - low);
    return share < 0 || share > 1 ? null : margin.l + share * (this.stage.clientWidth - margin.l - margin.r);
  }

  moveCursor() {
    if (!this.overTime || epochs.length < 2 || !this.built) return;
    this.setCursor(this.cursor, epoch());
    this.setCursor(this.held, state.pin);
  }

  setCursor(cursor, wanted) {
    const x = wanted === null ? null : this.place(wanted);
    cursor.hidden = x === null;
    if (x === null) return;
    const { margin } = this.plot.layout;
    cursor.style.transform = `translateX(${x.toFixed(1)}px)`;
    cursor.style.top = `${margin.t}px`;
    cursor.style.bottom = `${margin.b}px`;
  }

  /** The cursor as a shape, for a saved picture. */
  cursorShapes() {
    if (!this.overTime || epochs.length < 2) return [];
    const place = (e) => (state.time === "log" ? Math.max(e, firstMoment()) : e);
    const line = (e, dash) => ({ type: "line", x0: place(e), x1: place(e), yref: "paper", y0: 0, y1: 1, line: { color: palette().ink, width: 1.5, dash } });
    return [line(epoch()), ...(state.pin === null ? [] : [line(state.pin, "dash")])];
  }

  /** Dragging along the chart moves through training. */
  scrub() {
    this.stage.classList.add("scrubs");
    const go = (event) => {
      const { margin, xaxis } = this.plot.layout;
      const box = this.stage.getBoundingClientRect();
      const share = (event.clientX - box.left - margin.l) / (box.width - margin.l - margin.r);
      const [low, high] = xaxis.range;
      const value = low + Math.min(Math.max(share, 0), 1) * (high - low);
      change("moment", { at: nearest(clock, xaxis.type === "log" ? 10 ** value : value) });
    };
    let held = false;
    this.stage.addEventListener("pointerdown", (event) => {
      if (event.button || !this.built || this.zooming) return;
      held = true;
      go(event);
    });
    window.addEventListener("pointermove", (event) => held && go(event));
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => (held = false));
  }
}
