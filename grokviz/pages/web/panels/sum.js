// One sum that the reader types: where a, b and a + b stand in the plane of each embedded
// frequency, and what the network itself answers at the epochs of which its answers are kept.

const TICKS = 32; // of a clock

register(
  "sum",
  class extends Circles {
    get p() {
      return store.get("embedding_plane").shape[2];
    }

    /** a and b, within this run's residues. */
    get pair() {
      return [state.a ?? Math.floor(this.p / 5), state.b ?? Math.floor(this.p / 2)].map((n) => n % this.p);
    }

    get right() {
      const [a, b] = this.pair;
      return (a + b) % this.p;
    }

    get hasAnswers() {
      return store.has("own_answer_error");
    }

    /** The network's answer at each kept epoch, and how sure it is of it. */
    answers() {
      if (!this.hasAnswers) return [];
      const [a, b] = this.pair;
      if (this.kept?.pair === `${a} ${b}`) return this.kept.all;
      const errors = store.get("own_answer_error");
      const sure = store.get("own_answer_probability");
      const place = a * this.p + b;
      const all = Array.from(store.get("answer_epoch").values, (at, i) => ({
        at, number: (this.right + errors.at(i)[place]) % this.p, sure: sure.at(i)[place], isRight: errors.at(i)[place] === 0,
      })); // prettier-ignore
      this.kept = { pair: `${a} ${b}`, all };
      return all;
    }

    /** The answer at the kept epoch that is nearest to the moment. */
    answer() {
      const all = this.answers();
      return all[nearest(all.map(({ at }) => at), epoch())]; // prettier-ignore
    }

    fillTools() {
      const box = (name, n) => {
        const input = element("input", { type: "number", min: 0, max: this.p - 1, step: 1, value: this.pair[n], inputmode: "numeric", "aria-label": name });
        input.addEventListener("input", () => {
          const value = Number(input.value);
          if (input.value !== "" && Number.isInteger(value) && value >= 0 && value < this.p) change("choice", { [name]: value });
        });
        return input;
      };
      this.boxes = [box("a", 0), box("b", 1)];
      const another = () => {
        const [a, b] = [0, 1].map(() => Math.floor(Math.random() * this.p));
        change("choice", { a, b });
      };
      this.tools.replaceChildren(
        element("label", { class: "pair" }, "a", this.boxes[0]),
        element("label", { class: "pair" }, "b", this.boxes[1]),
        element("button", { type: "button", class: "plain", onclick: another }, "another"),
      );
    }

    build() {
      const made = super.build();
      this.told = element("p", { class: "told" });
      this.strip = element("div", { class: "answers", role: "group", "aria-label": "The network's answers" });
      this.stage.before(this.told, this.strip);
      return made;
    }

    /** Where the hands of one clock end: a, b, a + b, and the answer. */
    places(n) {
      const { x, y } = this.dots(n);
      const at = (r) => [x[r], y[r]];
      const [a, b] = this.pair;
      return { x, y, a: at(a), b: at(b), right: at(this.right), answer: this.hasAnswers ? this.answered(at) : null };
    }

    /** The answer's place: far out of view where it is that of another epoch. */
    answered(at) {
      const { at: moment, number } = this.answer();
      return moment === epoch() ? at(number) : [-99 * this.reach, 0];
    }

    /** Some residues, evenly spread in the frequency's own order: the ticks of its clock. */
    ticks(k) {
      this.ticked ??= new Map();
      const every = Math.ceil(this.p / TICKS);
      if (!this.ticked.has(k)) this.ticked.set(k, this.order(k).slice(0, -1).filter((_, n) => n % every === 0));
      return this.ticked.get(k);
    }

    /** What is drawn, in the order of the traces: few traces, because each costs time at a step. */
    lines() {
      const clocks = this.frequencies.map((k, n) => ({ ...this.places(n), middle: this.middle(n), ticks: this.ticks(k) }));
      const along = (...points) => ({ x: points.map((p) => p[0]), y: points.map((p) => p[1]) });
      const ticks = (axis) => clocks.flatMap((one) => one.ticks.map((r) => one[axis][r]));
      const ends = this.hasAnswers ? ["a", "b", "right", "answer"] : ["a", "b", "right"];
      return [
        { x: ticks("x"), y: ticks("y") },
        ...clocks.map(({ a, b, middle }) => along(a, middle, b)),
        ...clocks.map(({ right, middle }) => along(middle, right)),
        ...ends.map((end) => along(...clocks.map((one) => one[end]))),
      ];
    }

    traces() {
      const { ink, answer } = palette();
      const strength = (k) => (state.frequency !== null && state.frequency !== k ? 0.25 : 1);
      const each = (value) => this.frequencies.map(value);
      const line = (given, opacity) => ({ mode: "lines", hoverinfo: "skip", opacity, line: { simplify: false, ...given } });
      const dots = (symbol, size, color, width) => ({
        mode: "markers", hoverinfo: "skip",
        marker: { symbol, size, color, opacity: each(strength), line: { width, ...(width && symbol !== "circle-open" ? { color } : {}) } },
      }); // prettier-ignore
      const ticked = (value) => this.frequencies.flatMap((k) => this.ticks(k).map(() => value(k)));
      const looks = [
        { mode: "markers", marker: { size: 3.6, color: ticked(colourOf), opacity: ticked((k) => 0.4 * strength(k)) },
          customdata: this.frequencies.flatMap((k) => this.ticks(k).map((r) => [r, k])),
          hovertemplate: "residue %{customdata[0]}<br>frequency %{customdata[1]}<extra></extra>" },
        ...each((k) => line({ color: colourOf(k), width: 1.6 }, strength(k))),
        ...each((k) => line({ color: ink, width: 1.4, dash: "dot" }, strength(k))),
        dots("circle", 11, each(colourOf), 0),
        dots("square", 10, each(colourOf), 0),
        dots("circle-open", 15, ink, 2),
        dots("x-thin", 9, answer, 2.4),
      ]; // prettier-ignore
      return this.lines().map((points, i) => ({ type: "scatter", ...looks[i], ...points }));
    }

    moved() {
      const all = this.lines();
      return [{ x: all.map(({ x }) => x), y: all.map(({ y }) => y) }, all.map((_, n) => n)];
    }

    clicked() {}

    after() {
      super.after();
      this.pair.forEach((value, n) => {
        const box = this.boxes[n];
        if (document.activeElement !== box && box.value !== String(value)) box.value = value;
      });
      const sentence = this.sentence();
      if (this.told.textContent !== sentence) this.told.textContent = sentence;
      this.showStrip();
    }

    /** The kept epochs as cells: the answers right are filled, the brighter the surer. */
    showStrip() {
      const all = this.answers();
      const { at: now } = this.answer() ?? {};
      if (this.stripped?.all === all && this.stripped.now === now) return;
      this.stripped = { all, now };
      this.strip.hidden = !all.length;
      if (this.cells?.length !== all.length) {
        this.cells = all.map(({ at }) =>
          element("button", { type: "button", onclick: () => change("moment", { at: nearest(clock, at) }) }, element("span", {})),
        );
        this.strip.replaceChildren(...this.cells);
      }
      all.forEach(({ at, number, sure, isRight }, n) => {
        const cell = this.cells[n];
        const said = `${facts.word} ${spaced(at)}: ${number}, ${isRight ? "right" : "wrong"}, ${percent(sure)}`;
        if (cell.title !== said) {
          cell.title = said;
          cell.setAttribute("aria-label", said);
          cell.dataset.right = String(isRight);
          cell.style.setProperty("--sure", sure.toFixed(2));
          cell.firstChild.textContent = all.length <= 10 ? number : "";
        }
        cell.setAttribute("aria-current", String(at === now));
      });
    }

    /** The share of all sums that are answered right at the moment; null where it is not known. */
    accuracy() {
      const all = facts.labels.split?.indexOf("all") ?? -1;
      if (!store.has("accuracy") || all < 0) return null;
      const share = store.get("accuracy").at(state.at)[all];
      return Number.isFinite(share) ? share : null;
    }

    sentence() {
      const [a, b] = this.pair;
      const sum = `${a} + ${b} = ${this.right} mod ${this.p}`;
      const found = this.answer();
      if (!found) return `${sum}. The page holds none of the network's answers.`;
      const { at, number, sure, isRight } = found;
      const share = this.accuracy();
      const now = `${facts.word} ${spaced(epoch())}`;
      if (at !== epoch() && share === 1) return `${sum}. At ${now} the network answers every sum right, and so this one.`;
      const near = at === epoch() ? "" : `, the nearest ${facts.word} of which the page holds it`;
      const others = at === epoch() || share === null ? "" : ` At ${now} it answers ${percent(share)} of all sums right.`;
      return `${sum}. The network's own answer at ${facts.word} ${spaced(at)}${near}: ${number}, ${isRight ? "right" : "wrong"}, with a probability of ${percent(sure)}.${others}`;
    }

    extra() {
      return `● a  ■ b  ○ a + b${this.answer()?.at === epoch() ? "  × the network's answer" : ""}`;
    }

    say() {
      return `At ${facts.word} ${spaced(epoch())}: ${this.sentence()}`;
    }

    table() {
      const [a, b] = this.pair;
      const answered = this.answers().map(({ at, number, sure }) => ["answer", at, a, b, number, sure, "", ""]);
      const names = [["a", a], ["b", b], ["a + b", this.right]]; // prettier-ignore
      const planes = store.get("embedding_plane");
      const placed = epochs.flatMap((at, i) => {
        const plane = planes.at(i);
        return this.frequencies.flatMap((k, n) =>
          names.map(([name, r]) => [`place of ${name}`, at, a, b, r, k, plane[(n * this.p + r) * 2], plane[(n * this.p + r) * 2 + 1]]),
        );
      });
      return { columns: ["what", facts.word, "a", "b", "number", "probability or frequency", "cos axis", "sin axis"], rows: [...placed, ...answered] };
    }
  },
);

/** A probability in words; it is kept in coarse steps, so that none and all are nearly so. */
function percent(share) {
  if (Number.isNaN(share)) return "no number";
  const rounded = Math.round(100 * share);
  if (rounded <= 0) return "less than 1 %";
  return rounded >= 100 ? "more than 99 %" : `${rounded} %`;
}
