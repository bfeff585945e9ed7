// Loss and accuracy on fresh sequences, and what they hang on.

register(
  "held-out",
  class extends Curves {
    switches() {
      const views = [["loss", "loss"], ["accuracy", "accuracy"]]; // prettier-ignore
      if (store.has("key_attention")) views.push(["key", "attention to the key"]);
      return [["show", "measure", views], ...super.switches()];
    }

    option(key) {
      return key === "scale" && this.option("show") !== "loss" ? "linear" : super.option(key);
    }

    unit() {
      return { loss: "loss (nats)", accuracy: "accuracy", key: "attention" }[this.option("show")];
    }

    curves() {
      const show = this.option("show");
      if (show === "key") return [overEpochs("key_attention", "to the key", palette().ink)];
      return [overEpochs(`held_out_${show}`, "fresh", palette().test)];
    }
  },
);
