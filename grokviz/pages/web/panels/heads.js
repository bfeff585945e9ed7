// Induction and previous-token scores, a curve a head; those that matter in colour.

const SCORED = 0.2;

register(
  "heads",
  class extends Curves {
    switches() {
      return [["show", "score", [["induction", "induction"], ["previous_token", "previous token"]]]]; // prettier-ignore
    }

    option(key) {
      return key === "scale" ? "linear" : super.option(key);
    }

    unit() {
      return "attention";
    }

    curves() {
      const field = store.get(`${this.option("show")}_score`);
      const [, layers, heads] = field.shape;
      const colours = palette().frequencies;
      const all = Array.from({ length: layers * heads }, (_, n) => ({
        name: `${Math.floor(n / heads)}.${n % heads}`, x: epochs, y: field.column(n), n,
      })); // prettier-ignore
      return all.map(({ n, ...curve }) => {
        const matters = curve.y.at(-1) >= SCORED;
        return { ...curve, colour: matters ? colours[n % colours.length] : palette().rest, width: matters ? 2 : 1.2, nameless: !matters };
      });
    }

    extra() {
      const best = this.values().reduce((a, b) => (b[1] > a[1] ? b : a));
      return `largest: head ${best[0]} (layer.head) with ${short(best[1])}`;
    }
  },
);
