// plotly.js in this page's look: quiet axes, our colours, and pictures that say where they are from.

const FONT = '"Source Sans 3", "Source Sans Pro", system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const CONFIG = { displayModeBar: false, responsive: false, showTips: false, doubleClick: false };

const palette = () => facts.palettes[state.theme];

/** The embedded frequencies of all runs, so that one has one colour on the page. */
const embedded = () => [...new Set(runs.flatMap((run) => run.facts.embedded))];

/** The colour of a frequency, the same in every panel: its own if it is embedded, else grey. */
function colourOf(k) {
  const at = embedded().indexOf(k);
  const colours = palette().frequencies;
  return at < 0 ? palette().rest : colours[at % colours.length];
}

/** The colour of a frequency that the reader has chosen: never a grey among greys. */
const markedColour = (k) => (embedded().includes(k) ? colourOf(k) : palette().ink);

/** Text of a run or a file, for plotly, which reads tags and formulas in its texts. */
const plainText = (text) => String(text).replace(/[&<>$]/g, (mark) => `&#${mark.charCodeAt(0)};`);

/** 40000 as 40,000. */
function spaced(number) {
  if (!Number.isInteger(number)) return String(Number(number.toPrecision(4)));
  return String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A measured number with three digits. */
function short(number) {
  if (number === null || Number.isNaN(number)) return "unknown";
  if (number !== 0 && (Math.abs(number) < 1e-3 || Math.abs(number) >= 1e5)) return number.toExponential(2);
  return String(Number(number.toPrecision(3)));
}

/** An axis; what is given comes on top of the quiet one. */
function axis(given = {}) {
  const { title, ...rest } = given;
  const colours = palette();
  return {
    title: title ? { text: title, font: { size: 12, color: colours.muted }, standoff: 6 } : undefined,
    color: colours.muted,
    tickfont: { size: 11, color: colours.muted },
    gridcolor: colours.grid,
    zeroline: false,
    linecolor: colours.faint,
    showline: false,
    showgrid: false,
    ticks: "",
    fixedrange: true,
    automargin: false,
    // plotly writes powers a quarter larger than other ticks
    ...(rest.type === "log" ? { exponentformat: "power", dtick: 1, tickfont: { size: 9, color: colours.muted } } : {}),
    ...rest,
  };
}

/** The axis of training time, linear or logarithmic as the reader wishes. */
function timeAxis(last) {
  const log = state.time === "log";
  const range = log ? [Math.log10(firstMoment()), Math.log10(last)] : [0, last];
  return axis({
    title: facts.word,
    type: log ? "log" : "linear",
    range,
    tickformat: ",",
    ...(log ? { dtick: 1 } : { nticks: 6 }),
  });
}

/** Where a logarithmic time axis begins: epoch 0 has no place on it. */
function firstMoment() {
  const first = clock.find((e) => e > 0) ?? 1;
  return Math.max(1, Math.min(first, 10));
}

function layout(given) {
  const colours = palette();
  return {
    font: { family: FONT, size: 12, color: colours.ink },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 52, r: 14, t: 10, b: 40 },
    showlegend: false,
    dragmode: false,
    hovermode: "closest",
    hoverlabel: {
      bgcolor: colours.background,
      bordercolor: colours.faint,
      font: { family: FONT, size: 12, color: colours.ink },
    },
    ...given,
  };
}

/** Shades of the phases, as shapes below everything. */
function phaseShapes(last) {
  if (!facts.phases) return [];
  const edges = [state.time === "log" ? firstMoment() : 0, ...facts.phases.ends, last];
  return palette().phases.slice(0, facts.phases.names.length).map((tint, n) => ({
    type: "rect", xref: "x", yref: "paper", layer: "below", line: { width: 0 },
    x0: edges[n], x1: Math.max(edges[n + 1], edges[n]), y0: 0, y1: 1, fillcolor: tint,
  })); // prettier-ignore
}

/** Dotted lines at what happened, in a run without phases. */
function eventShapes() {
  return facts.events.map(({ epoch: at }) => ({
    type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1, layer: "below",
    line: { color: palette().faint, width: 1, dash: "dot" },
  })); // prettier-ignore
}

/** Their names above the chart, those that have room. */
function eventNames(xaxis, width) {
  const [low, high] = xaxis.range;
  let free = -Infinity;
  return facts.events
    .map(({ name, epoch: at }) => ({ name, share: ((xaxis.type === "log" ? Math.log10(at || 1) : at) - low) / (high - low) }))
    .sort((a, b) => a.share - b.share)
    .filter(({ name, share }) => {
      const start = share * width - 3.1 * name.length;
      if (share < 0 || share > 1 || start < free + 8) return false;
      free = start + 6.2 * name.length;
      return true;
    })
    .map(({ name, share }) =>
      note(plainText(name), share, 1, { xref: "paper", yref: "paper", xanchor: "center", yanchor: "bottom", size: 11 }),
    );
}

/** A line of text at a place, in an axis' or the paper's coordinates. */
function note(text, x, y, given = {}) {
  const { colour, size, ...rest } = given;
  return {
    text, x, y, showarrow: false, xref: "x", yref: "y", xanchor: "left", yanchor: "middle",
    font: { size: size ?? 12, color: colour ?? palette().muted, family: FONT }, ...rest,
  }; // prettier-ignore
}

/** Save text or bytes under a name. */
function download(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A long line in two, at one of its dots. */
function inTwo(text, most) {
  const parts = text.split(" · ");
  if (text.length <= most || parts.length < 2) return plainText(text);
  let first = parts.length - 1;
  while (first > 1 && parts.slice(0, first).join(" · ").length > most) first--;
  return [parts.slice(0, first), parts.slice(first)].map((line) => plainText(line.join(" · "))).join("<br>");
}

/** A chart as a picture with its title, the moment and the run; PNG are 2,400 pixels wide. */
async function picture(plot, kind, { title, moment, shapes }) {
  const colours = palette();
  const { width, height } = plot.layout;
  const margin = { l: 80, r: 80, t: 100, b: 80, ...plot.layout.margin }; // plotly's own where none are given
  const said = inTwo(moment, width / 6.4);
  const above = said.includes("<br>") ? 76 : 60;
  const run = [facts.run.name, facts.run.checksum.slice(0, 12), "grokviz"].filter(Boolean).join(" · ");
  const size = { width, height: height + above + 20 };
  const left = { xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "left", yanchor: "top", align: "left", xshift: 12 - margin.l };
  const figure = {
    data: plot.data,
    layout: {
      ...plot.layout,
      ...size,
      paper_bgcolor: colours.background,
      margin: { ...margin, t: margin.t + above, b: margin.b + 20 },
      shapes: [...(plot.layout.shapes ?? []), ...shapes],
      annotations: [
        ...(plot.layout.annotations ?? []),
        note(`<b>${plainText(title)}</b>`, 0, 1, { ...left, yshift: margin.t + above - 8, size: 16, colour: colours.ink }),
        note(said, 0, 1, { ...left, yshift: margin.t + above - 30 }),
        note(plainText(run), 1, 0, {
          xref: "paper", yref: "paper", xanchor: "right", yanchor: "top", xshift: margin.r - 10,
          yshift: -margin.b, size: 10, colour: colours.faint,
        }),
      ],
    },
  }; // prettier-ignore
  const url = await Plotly.toImage(figure, { format: kind, ...size, scale: kind === "png" ? 2400 / width : 1 });
  if (kind === "svg") return decodeURIComponent(url.slice(url.indexOf(",") + 1));
  const packed = atob(url.slice(url.indexOf(",") + 1));
  return Uint8Array.from(packed, (c) => c.charCodeAt(0));
}
