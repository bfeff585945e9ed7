// Every neuron by its frequency and the share of variance that explains; the stored ones, ringed,
// can be chosen. Those without a frequency stand at "none".

const THRESHOLD = 0.85;
/** What stands in the place of a frequency where none explains a neuron better than another. */
const NO_FREQUENCY = 0;

register(
  "clusters",
  class extends Panel {
    get stored() {
      return store.has("neuron") ? Array.from(store.get("neuron").values) : [];
    }

    /** Places of all neurons now; neurons of one frequency lie side by side, always in one order. */
    places() {
      const frequency = store.get("all_neuron_frequency").at(state.at);
      const share = store.get("all_neuron_variance_explained").at(state.at);
      const turn = (n) => (((n * 0.6180339887) % 1) - 0.5) * 0.8;
      return { frequency, share, x: Float32Array.from(frequency, (k, n) => k + turn(n)) };
    }

    colours(frequency, share) {
      const faint = palette().rest;
      return Array.from(frequency, (k, n) => {
        const clean = share[n] >= THRESHOLD;
        if (state.frequency !== null) return k === state.frequency ? markedColour(k) : faint;
        return clean ? colourOf(k) : faint;
      });
    }

    traces() {
      const { frequency, share, x } = this.places();
      const hover = "neuron %{customdata}<br>%{y:.0%} of its variance<extra></extra>";
      const ring = (chosen) => ({
        symbol: "circle-open", size: chosen ? 15 : 10, color: palette().ink, line: { width: chosen ? 2.6 : 1.3 },
      }); // prettier-ignore
      const of = (ids) => ({ x: ids.map((id) => x[id]), y: ids.map((id) => share[id]), customdata: ids });
      return [
        { type: "scatter", mode: "markers", x, y: share, customdata: Array.from(x.keys()), hovertemplate: hover,
          marker: { color: this.colours(frequency, share), size: 5.5, opacity: 0.85 } },
        { type: "scatter", mode: "markers", ...of(this.stored), hovertemplate: `${hover.slice(0, -15)}<br>click to choose<extra></extra>`,
          marker: ring(false) },
        { type: "scatter", mode: "markers", ...of(state.neuron === null ? [] : [state.neuron]), hoverinfo: "skip",
          marker: ring(true) },
      ]; // prettier-ignore
    }

    moved() {
      const { frequency, share, x } = this.places();
      const chosen = state.neuron === null ? [] : [state.neuron];
      const [xs, ys] = [x, share].map((all) => [all, ...[this.stored, chosen].map((ids) => ids.map((id) => all[id]))]);
      const colours = [this.colours(frequency, share), palette().ink, palette().ink];
      return [{ x: xs, y: ys, "marker.color": colours }, [0, 1, 2]];
    }

    layout() {
      const last = lastFrequency();
      const tickvals = [0, 0.25, 0.5, THRESHOLD, 1];
      // a neuron without a frequency has a place of its own, not one among the frequencies
      const without = store.get("all_neuron_frequency").values.includes(NO_FREQUENCY);
      const ticks = without ? [NO_FREQUENCY, ...ticksTo(last).slice(1)] : ticksTo(last);
      const named = { tickvals: ticks, ticktext: ticks.map((k) => (k === NO_FREQUENCY ? "none" : String(k))) };
      return layout({
        margin: { l: 52, r: 10, t: 12, b: 40 },
        xaxis: axis({ title: "frequency of the neuron", range: [-0.6, last + 0.8], ...named }),
        yaxis: axis({ title: "share of variance", range: [0, 1.04], tickvals, ticktext: tickvals.map(String) }),
        shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: THRESHOLD, y1: THRESHOLD, layer: "below",
          line: { color: palette().faint, width: 1, dash: "dash" } }],
      }); // prettier-ignore
    }

    height(width) {
      return width < 480 ? 280 : 320;
    }

    clicked({ points, event }) {
      const near = this.storedNear(event);
      // where dots lie on one another, each click takes the next one
      if (near.length) chooseNeuron(near[(near.indexOf(state.neuron) + 1) % near.length]);
      else chooseFrequency(store.get("all_neuron_frequency").at(state.at)[points[0].customdata] || null);
    }

    /** The stored neurons under a pointer: the nearest one, and those that lie with it. */
    storedNear({ clientX, clientY }) {
      const { share, x } = this.places();
      const { xaxis, yaxis } = this.plot._fullLayout;
      const box = this.plot.getBoundingClientRect();
      const away = (id) =>
        Math.hypot(
          box.left + xaxis._offset + xaxis.c2p(x[id]) - clientX,
          box.top + yaxis._offset + yaxis.c2p(share[id]) - clientY,
        );
      const least = Math.min(...this.stored.map(away));
      return least > 8 ? [] : this.stored.filter((id) => away(id) < least + 1.5);
    }

    extra() {
      const { frequency, share } = this.places();
      const none = frequency.filter((k) => k === NO_FREQUENCY).length;
      const above = `${share.filter((s) => s >= THRESHOLD).length} of ${share.length} neurons at ${THRESHOLD} or above`;
      return none ? `${above}, ${none} without a frequency` : above;
    }

    say() {
      return `At ${facts.word} ${spaced(epoch())}: ${this.extra()}.`;
    }

    table() {
      const { frequency, share } = this.places();
      const rows = Array.from(share, (s, n) => [epoch(), n, frequency[n] || "none", s]);
      return { columns: [facts.word, "neuron", "frequency", "share of variance explained"], rows };
    }
  },
);
