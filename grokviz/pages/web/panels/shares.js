// Measures of the whole network: shares of variance, sparsity, sums of squares, accuracy.

register(
  "shares",
  class extends Curves {
    switches() {
      const views = [
        ["shares", "shares", ["generalising_share", "memorising_share", "logit_variance_explained", "trig_fraction_neurons"]],
        ["gini", "Gini", ["gini_embedding", "gini_neuron_logit_map"]],
        ["weights", "weights", ["sum_squared_weights"]],
        ["accuracy", "accuracy", ["accuracy"]],
      ]; // prettier-ignore
      const there = views.filter(([, , names]) => names.some((name) => store.has(name)));
      return [["show", "measure", there.map(([value, text]) => [value, text])]];
    }

    option(key) {
      return key === "scale" ? "linear" : super.option(key);
    }

    unit() {
      return { shares: "share", gini: "Gini coefficient", weights: "sum of squares", accuracy: "accuracy" }[this.option("show")];
    }

    curves() {
      const { ink, muted, train, test, frequencies } = palette();
      const known = (curves) => curves.filter(([name]) => store.has(name)).map((given) => overEpochs(...given));
      switch (this.option("show")) {
        case "shares":
          return known([
            ["generalising_share", "generalising", ink],
            ["memorising_share", "memorising", train],
            ["logit_variance_explained", "logits explained", frequencies[0]],
            ["trig_fraction_neurons", "neurons explained", frequencies[1]],
          ]);
        case "gini":
          return known([["gini_embedding", "W_E", ink], ["gini_neuron_logit_map", "W_L", muted]]); // prettier-ignore
        case "weights":
          return [this.squares()];
        default: {
          const splits = facts.labels.split;
          return known([
            ["accuracy", "train", train, splits.indexOf("train")],
            ["accuracy", "test", test, splits.indexOf("test")],
          ]);
        }
      }
    }

    /** All weights together. */
    squares() {
      const { values, stride, shape } = store.get("sum_squared_weights");
      const y = Float64Array.from({ length: shape[0] }, (_, i) =>
        values.subarray(i * stride, (i + 1) * stride).reduce((a, b) => a + b, 0),
      );
      return { name: "all weights", x: epochs, y, colour: palette().ink };
    }
  },
);
