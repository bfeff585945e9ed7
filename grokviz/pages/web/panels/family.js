// The losses of many runs, each with its own clock.

register(
  "family",
  class extends Curves {
    switches() {
      return [["split", "loss", [["test", "test"], ["train", "train"]]], ...super.switches()]; // prettier-ignore
    }

    unit() {
      return `${this.option("split")} loss (nats)`;
    }

    colours(count) {
      const { frequencies, sequential } = palette();
      if (count <= frequencies.length) return frequencies;
      const at = (n) => sequential[Math.round((0.35 + (0.65 * n) / (count - 1)) * (sequential.length - 1))][1];
      return Array.from({ length: count }, (_, n) => at(n));
    }

    curves() {
      const split = this.option("split");
      const losses = store.get(`member_${split}_loss`);
      const clock = store.get(split === "test" && store.has("member_test_epoch") ? "member_test_epoch" : "member_epoch");
      const count = losses.shape[0];
      const colours = this.colours(count);
      const names = facts.labels.member_name ?? losses.labels("member").map((n) => `run ${n}`);
      return Array.from({ length: count }, (_, n) => {
        const y = Array.from(losses.at(n));
        const known = y.map((value, i) => i).filter((i) => Number.isFinite(y[i]));
        return {
          name: names[n], x: known.map((i) => clock.at(n)[i]), y: known.map((i) => y[i]), colour: colours[n],
          width: count > 8 ? 1 : 1.6, nameless: count > 12,
        }; // prettier-ignore
      });
    }

    height(width) {
      return width < 480 ? 300 : 420;
    }
  },
);
