// The unembedding's norm, and the sum of the logits' gradient, which only rounding keeps from 0.

register(
  "rounding",
  class extends Curves {
    switches() {
      return [["show", "measure", [["norm", "norm of W_U"], ["sum", "gradient sum"]]], ...super.switches()]; // prettier-ignore
    }

    get name() {
      return this.option("show") === "norm" ? "logged_unembedding_norm" : "logged_logit_gradient_sum";
    }

    unit() {
      return this.option("show") === "norm" ? "norm" : "size of the sum";
    }

    curves() {
      const { name } = this;
      const x = Array.from(store.get(`${name}:logged_epoch`).values);
      return [{ name: this.option("show"), x, y: store.get(name).values.map(Math.abs), colour: palette().ink, width: 1.2 }];
    }
  },
);
