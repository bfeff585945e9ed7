// Training and test loss as training logged them.

register(
  "loss",
  class extends Curves {
    unit() {
      return "loss, as logged (nats)";
    }

    curves() {
      const curve = (variable, clock, name, colour) =>
        store.has(variable)
          ? [{ name, colour, x: Array.from(store.get(`${variable}:${clock}`).values), y: Array.from(store.get(variable).values) }]
          : [];
      return [
        ...curve("logged_train_loss", "logged_epoch", "train", palette().train),
        ...curve("logged_test_loss", "tested_epoch", "test", palette().test),
      ];
    }
  },
);
