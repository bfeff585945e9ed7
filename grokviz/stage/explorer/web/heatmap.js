// Panels with one heatmap: square, in whole pixels, with a scale that does not move in time.

class Heatmap extends Panel {
  /** The flat field now, row after row. */
  field() {
    return new Float64Array(0);
  }

  /** Columns of the field. */
  get across() {
    return Math.round(Math.sqrt(this.field().length));
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
        colorbar: { thickness: 9, len: 1, outlinewidth: 0, nticks: 4, xpad: 8, ypad: 0, tickfont: { size: 11, color: palette().muted } } },
    ]; // prettier-ignore
  }

  moved() {
    return [{ z: [rowsOf(this.field(), this.across)] }, [0]];
  }

  layout() {
    return layout({ margin: { l: 44, r: 52, t: 8, b: 40 }, ...this.axes() });
  }

  height(width) {
    return Math.min(Math.max(width - 48, 240), 380);
  }
}
