// The loss of each digit of the answer, as training logged it.

register(
  "digits",
  class extends Curves {
    switches() {
      const there = ["train", "test"].filter((split) => store.has(`token_${split}_loss`));
      return [["split", "which sums", there.map((split) => [split, split])], ["scale", "scale", [["linear", "linear"], ["log", "log"]]]]; // prettier-ignore
    }

    unit() {
      return "loss (nats)";
    }

    curves() {
      const split = this.option("split");
      const name = `token_${split}_loss`;
      const x = Array.from(store.get(`${name}:${split === "train" ? "logged" : "tested"}_epoch`).values);
      const colours = palette().frequencies;
      return Array.from({ length: store.get(name).shape[1] }, (_, n) => ({
        name: n ? `digit ${n}` : "carry", x, y: store.get(name).column(n), colour: colours[n % colours.length],
        width: 1.3,
      })); // prettier-ignore
    }
  },
);
