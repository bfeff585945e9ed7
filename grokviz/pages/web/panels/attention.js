// Attention of one head from '=' to a, over all pairs.

register(
  "attention",
  class extends Heatmap {
    get across() {
      return (store.get("attention_score").shape[2] - 1) / 2;
    }

    field() {
      const scores = store.get("attention_score");
      const rows = scores.shape[2];
      return attentionToA(scores.at(state.at).subarray(state.head * rows, (state.head + 1) * rows));
    }

    axes() {
      return { xaxis: axis({ title: "b" }), yaxis: axis({ title: "a" }) };
    }

    hover() {
      return "a = %{y}, b = %{x}<br>%{z:.0%} to a<extra></extra>";
    }

    /** The frequency that explains most of a head's attention now; null where none does, or not known. */
    frequencyOf(head) {
      if (!store.has("head_frequency")) return null;
      return store.get("head_frequency").at(state.at)[head] || null;
    }

    fillTools() {
      const heads = Array.from(store.get("head").values);
      const picker = choice("Head", heads.map((h, n) => [n, `head ${h}`]), state.head, chooseHead); // prettier-ignore
      on("choice", () => picker.show(state.head));
      this.picker = picker;
      this.tools.replaceChildren(picker);
    }

    after() {
      super.after();
      for (const [head, button] of [...this.picker.children].entries()) {
        const k = this.frequencyOf(head);
        const marked = k !== null && k === state.frequency;
        button.style.boxShadow = marked ? `inset 0 -3px 0 ${markedColour(k)}` : "";
      }
    }

    extra() {
      const k = this.frequencyOf(state.head);
      if (k === null) return store.has("head_frequency") ? "no frequency" : "";
      const share = store.has("head_variance_explained") ? store.get("head_variance_explained").at(state.at)[state.head] : NaN;
      return `frequency ${k}${Number.isNaN(share) ? "" : `, ${Math.round(100 * share)} % of the variance`}`;
    }

    say() {
      const field = this.field();
      const mean = field.reduce((a, b) => a + b, 0) / field.length;
      const wave = this.extra() && `; ${this.extra()}`;
      return `Head ${state.head} at ${facts.word} ${spaced(epoch())} attends to a with ${short(mean)} on average${wave}.`;
    }

    table() {
      const p = this.across;
      const rows = Array.from(this.field(), (value, i) => [epoch(), state.head, Math.floor(i / p), i % p, value]);
      return { columns: [facts.word, "head", "a", "b", "attention to a"], rows };
    }
  },
);
