// Excluded and restricted loss beside the whole model's; the chosen frequency's own excluded loss.

register(
  "progress",
  class extends Curves {
    unit() {
      return "loss, measured (nats)";
    }

    curves() {
      const splits = facts.labels.split;
      const [train, test, all] = ["train", "test", "all"].map((split) => splits.indexOf(split));
      const found = [
        overEpochs("loss", "train", palette().train, train),
        overEpochs("loss", "test", palette().test, test),
        overEpochs("restricted_loss", "restricted", palette().ink, all),
        overEpochs("excluded_loss_2d", "excluded", palette().ink, 0, { dash: "dot" }),
      ];
      const k = state.frequency;
      if (k === null || !store.has("excluded_loss_2d_by_frequency")) return found;
      const name = `without ${k}`;
      return [...found, overEpochs("excluded_loss_2d_by_frequency", name, markedColour(k), k - 1, { width: 2.6 })];
    }
  },
);
