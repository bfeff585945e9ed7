// Attention of the best previous-token head and the best induction head, at one fresh sequence.

register(
  "pattern",
  class extends Heatmap {
    switches() {
      const names = facts.labels.shown_head;
      const where = (n) => `${store.get("shown_layer").values[n]}.${store.get("shown_number").values[n]}`;
      const values = names.map((name, n) => [String(n), `${name} (${where(n)})`]);
      return [["head", "head", [...values.slice(-1), ...values.slice(0, -1)]]];
    }

    moment() {
      return store.get("field_epoch").values[fieldAt()];
    }

    get across() {
      return store.get("attention_pattern").shape[3];
    }

    field() {
      const { shape } = store.get("attention_pattern");
      const size = shape[2] * shape[3];
      const head = Number(this.option("head"));
      return store.get("attention_pattern").at(fieldAt()).subarray(head * size, (head + 1) * size);
    }

    hover() {
      return "from position %{y} to %{x}<br>%{z:.0%}<extra></extra>";
    }

    axes() {
      const size = this.across;
      return {
        xaxis: axis({ title: "attended position", range: [-0.5, size - 0.5] }),
        yaxis: axis({ title: "attending position", range: [size - 0.5, -0.5] }),
      };
    }

    traces() {
      const source = Array.from(store.get("shown_source").values);
      const from = source.map((_, q) => q).filter((q) => source[q] >= 0);
      const tokens = store.get("shown_token").values;
      return [
        ...super.traces(),
        { type: "scatter", mode: "markers", x: from.map((q) => source[q]), y: from, customdata: from.map((q) => tokens[q]),
          marker: { symbol: "circle-open", size: 7, color: palette().test, line: { width: 1 } },
          hovertemplate: "token %{customdata} at %{y}<br>the next one stands at %{x}<extra></extra>" },
      ]; // prettier-ignore
    }

    /** Mean attention from the rings' positions to the rings. */
    found() {
      const source = store.get("shown_source").values;
      const field = this.field();
      const all = Array.from(source.keys()).filter((q) => source[q] >= 0);
      return all.reduce((sum, q) => sum + field[q * this.across + source[q]], 0) / (all.length || 1);
    }

    extra() {
      return `${Math.round(100 * this.found())} % of the attention on the rings`;
    }

    say() {
      return `At ${facts.word} ${spaced(this.moment())}: ${this.extra()}.`;
    }

    table() {
      const tokens = store.get("shown_token").values;
      const rows = Array.from(this.field(), (value, i) => {
        const [query, key] = [Math.floor(i / this.across), i % this.across];
        return [this.moment(), query, key, tokens[query], tokens[key], value];
      });
      return { columns: [facts.word, "query", "key", "query token", "key token", "attention"], rows };
    }
  },
);
