// Moving what plotly has drawn, without drawing it anew.
//
// A full Plotly.restyle of a small chart takes 15 to 40 ms, and a step moves several charts. So
// while time runs only the marks are set: bars, points and lines by their attributes, heatmaps on
// a canvas below the chart. When time rests the charts are restyled in full (Panel.settle), so
// that hovering and saving see the same numbers. Where the drawing is not as expected, moveMarks
// says so and changes nothing.

/** Set the marks of these traces to their new data; false where that is not possible. */
function moveMarks(plot, changes, indices) {
  const { xaxis, yaxis } = plot._fullLayout ?? {};
  if (!xaxis?.c2p || !yaxis?.c2p) return false;
  const axes = { x: (v) => xaxis.c2p(xaxis.d2c(v)), y: (v) => yaxis.c2p(yaxis.d2c(v)), high: yaxis._length, log: yaxis.type === "log" };
  const moves = [];
  const layers = {};
  const seen = {}; // how many traces of a kind come before each one
  const places = plot.data.map(({ type }) => (seen[type] = (seen[type] ?? -1) + 1));
  for (const [n, index] of indices.entries()) {
    const given = Object.fromEntries(Object.entries(changes).map(([key, all]) => [key, all[n]]));
    const trace = plot.data[index];
    const node = (layers[trace.type] ??= layerOf(plot, trace.type))[places[index]];
    const move = node && MOVES[trace.type]?.(node, trace, given, axes, plot);
    if (!move) return false;
    moves.push(move);
  }
  for (const move of moves) move();
  return true;
}

const LAYERS = { bar: ".barlayer > .trace", scatter: ".scatterlayer > .trace", heatmap: ".heatmaplayer > .hm" };

const layerOf = (plot, type) => plot.querySelectorAll(LAYERS[type] ?? "none");

const MOVES = {
  bar(node, trace, { y }, axes) {
    const bars = node.querySelectorAll(".point > path");
    if (bars.length !== y.length) return null;
    const base = axes.log ? axes.high : axes.y(trace.base ?? 0);
    return () => {
      bars.forEach((bar, n) => {
        const [left, right] = [axes.x(trace.x[n] - trace.width / 2), axes.x(trace.x[n] + trace.width / 2)];
        const top = y[n] > 0 ? axes.y(y[n]) : base;
        bar.setAttribute("d", `M${left.toFixed(2)},${base}V${top.toFixed(2)}H${right.toFixed(2)}V${base}Z`);
      });
    };
  },

  scatter(node, trace, { x, y, "marker.color": colours }, axes) {
    const xs = x ?? trace.x;
    const line = node.querySelector(".js-line");
    const points = node.querySelectorAll(".points > path.point");
    if (trace.mode === "lines" ? !line : points.length !== xs.length) return null;
    return () => {
      const at = Array.from(xs, (value, n) => [axes.x(value).toFixed(2), axes.y(y[n]).toFixed(2)]);
      if (trace.mode === "lines") {
        line.setAttribute("d", `M${at.map((pair) => pair.join(",")).join("L")}`);
        return;
      }
      points.forEach((point, n) => {
        point.setAttribute("transform", `translate(${at[n][0]},${at[n][1]})`);
        if (!Array.isArray(colours) || point.moved === colours[n]) return;
        point.moved = colours[n];
        point.style.fill = colours[n];
      });
    };
  },

  heatmap(node, trace, { z }, axes, plot) {
    const image = node.querySelector("image");
    if (!image || plot.parentElement.classList.contains("zoomed")) return null; // plotly then draws a part
    return () => {
      const canvas = canvasBelow(plot, image);
      paintCells(canvas, z, trace, plot._fullLayout.yaxis.range);
      image.style.visibility = "hidden";
    };
  },
};

/** The canvas below a chart, where plotly's own picture of a heatmap lies. */
function canvasBelow(plot, image) {
  let canvas = plot.parentElement.querySelector("canvas.cells");
  if (!canvas) {
    canvas = document.createElement("canvas");
    canvas.className = "cells";
    canvas.setAttribute("aria-hidden", "true");
    plot.before(canvas);
  }
  const { xaxis, yaxis } = plot._fullLayout;
  Object.assign(canvas.style, {
    display: "block",
    left: `${xaxis._offset + Number(image.getAttribute("x"))}px`,
    top: `${yaxis._offset + Number(image.getAttribute("y"))}px`,
    width: `${image.getAttribute("width")}px`,
    height: `${image.getAttribute("height")}px`,
  });
  return canvas;
}

const scales = new Map();

/** 256 colours of a scale, each a number as a canvas keeps it. */
function coloursOf(scale) {
  if (scales.has(scale)) return scales.get(scale);
  const bytes = new Uint8ClampedArray(256 * 4);
  const part = (hex, n) => parseInt(hex.slice(1 + 2 * n, 3 + 2 * n), 16);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (scale.length - 1);
    const [low, high] = [scale[Math.floor(at)][1], scale[Math.ceil(at)][1]];
    for (let n = 0; n < 3; n++) bytes[4 * i + n] = part(low, n) + (at % 1) * (part(high, n) - part(low, n));
    bytes[4 * i + 3] = 255;
  }
  scales.set(scale, new Uint32Array(bytes.buffer));
  return scales.get(scale);
}

function paintCells(canvas, z, { zmin, zmax, colorscale }, range) {
  const [wide, high] = [z[0].length, z.length];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  const image = context.createImageData(wide, high);
  const cells = new Uint32Array(image.data.buffer);
  const colours = coloursOf(colorscale);
  const upwards = range[0] < range[1];
  const slope = 255 / (zmax - zmin);
  for (let row = 0; row < high; row++) {
    const line = z[upwards ? high - 1 - row : row];
    for (let column = 0; column < wide; column++) {
      const at = (line[column] - zmin) * slope + 0.5;
      cells[row * wide + column] = colours[at > 255 ? 255 : at > 0 ? at | 0 : 0];
    }
  }
  context.putImageData(image, 0, 0);
}

/** Show plotly's own picture again. */
function uncover(plot) {
  for (const image of plot.querySelectorAll(".hm image")) image.style.visibility = "";
  const canvas = plot.parentElement.querySelector("canvas.cells");
  if (canvas) canvas.style.display = "none";
}
