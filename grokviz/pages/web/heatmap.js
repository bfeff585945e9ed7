// Panels with one heatmap: square, in whole pixels, with a scale that does not move in time.

const [LEFT, RIGHT] = [38, 36]; // room for the axis and for the colour bar

class Heatmap extends Panel {
  /** The flat field now, row after row. */
  field() {
    return new Float64Array(0);
  }

  /** Columns of the field. */
  get across() {
    return 1;
  }

  /** The ends of the colour scale. */
  range() {
    return [0, 1];
  }

  colours() {
    return palette().sequential;
  }

  hover() {
    return "a = %{x}, b = %{y}<br>%{z:.3g}<extra></extra>";
  }

  axes() {
    return { xaxis: axis({ title: "a" }), yaxis: axis({ title: "b" }) };
  }

  traces() {
    const [zmin, zmax] = this.range();
    return [
      { type: "heatmap", z: rowsOf(this.field(), this.across), zmin, zmax, colorscale: this.colours(), hovertemplate: this.hover(),
        colorbar: { thickness: 8, len: 1, outlinewidth: 0, nticks: 4, xpad: 6, x: 1, xanchor: "left", ypad: 0, tickfont: { size: 11, color: palette().muted } } },
    ]; // prettier-ignore
  }

  moved() {
    return [{ z: [rowsOf(this.field(), this.across)] }, [0]];
  }

  /** Side of the square in pixels: every cell has the same whole number of the screen's dots. */
  side(width) {
    const room = Math.min(width - LEFT - RIGHT, 452);
    const dots = Math.floor((room * devicePixelRatio) / this.across) / devicePixelRatio;
    return dots > 0 ? dots * this.across : room;
  }

  layout() {
    const width = this.stage.clientWidth;
    const margin = { l: LEFT, r: width - LEFT - this.side(width), t: 8, b: 38 };
    return layout({ margin, ...this.axes() });
  }

  height(width) {
    return this.side(width) + 46;
  }
}
