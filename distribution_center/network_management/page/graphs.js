// Graphs as SVG: a line for each part of a component, the band between its least and greatest behind it.

import { drawing, element, setAttribute, setStyle, setText } from "/shared/element.js";
import { clock, quantity, tickLabel } from "./words.js";

const WIDTH = 320, HEIGHT = 130, LEFT = 38, RIGHT = 6, TOP = 8, BOTTOM = 16;
const COLOURS = ["#2f7de1", "#e8791d", "#2a9d5c", "#b04fc6", "#c9a400", "#d6455d", "#1aa3b8", "#8a6f4d"];
const LINES_MAX = 16;
const DASH = "–";

const KINDS = {
  temperature_c: { title: "Temperature", unit: "°C", now: Math.max },
  streams: { title: "Streams", unit: "", now: sum, whole: true, zero: true },
  sent_bps: { title: "Sent", unit: "bit/s", now: sum, zero: true },
  channel_bps: { title: "I/O channel use", unit: "bit/s", now: sum, zero: true },
  copies: { title: "Copies", unit: "", now: sum, whole: true, zero: true },
  power_w: { title: "Power", unit: "W", now: sum, zero: true },
  fan_rpm: { title: "Fans", unit: "rpm", now: Math.max, zero: true },
  sessions: { title: "Sessions", unit: "", now: sum, whole: true, zero: true },
};

function sum(...values) { return values.reduce((a, b) => a + b, 0); }

// Ticks at round numbers, two to five of them.
function ticks(low, high) {
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((each) => each >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(at);
  return found;
}

function moments(since, until) {
  const span = until - since;
  const step = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000]
    .find((each) => span / each <= 5) ?? 7776000;
  const offset = new Date(since * 1000).getTimezoneOffset() * 60;
  const found = [];
  for (let at = Math.ceil((since - offset) / step) * step + offset; at < until; at += step) found.push(at);
  const day = step >= 86400;
  return found.map((at) => [at, new Date(at * 1000).toLocaleString([], day ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })]);
}

export function drawGraphs(into, { since, until, graphs }) {
  const drawn = Object.entries(KINDS)
    .filter(([metric]) => Object.values(graphs[metric] ?? {}).some((points) => points.length))
    .map(([metric, kind]) => drawGraph(metric, kind, graphs[metric], since, until));
  into.replaceChildren(...(drawn.length ? drawn : [element("p", { class: "hint" }, "No readings in this span yet.")]));
}

// `parts`: by name its points, each [time, mean, least, greatest].
function drawGraph(metric, kind, parts, since, until) {
  const lines = Object.entries(parts).filter(([, points]) => points.length).slice(0, LINES_MAX)
    .map(([part, points], number) => ({ part, points, colour: COLOURS[number % COLOURS.length] }));
  const points = lines.flatMap((line) => line.points);
  const scale = scaleOf(kind, points, since, until);
  const gap = largestGap(points, since, until);
  const cursor = drawing("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM });
  const svg = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": kind.title },
    ...drawGrid(kind, scale, since, until), ...lines.flatMap((line) => drawLine(line, scale, gap)), cursor);
  const reading = element("span", { class: "now" });
  const legend = element("ul", { class: "legend" }, ...lines.map(({ colour }) => {
    const item = element("li");
    setStyle(item, "--series", colour);
    return item;
  }));
  const single = lines.length === 1 && !lines[0].part;
  legend.hidden = single;
  const labels = lines.map(({ part }) => part || kind.title);

  function showNow() {
    const last = lines.map((line) => line.points.at(-1));
    const fresh = last.filter((point) => until - point[0] <= Math.max(gap, 60));
    const newest = Math.max(...last.map((point) => point[0]));
    const shown = fresh.length ? fresh : last.filter((point) => newest - point[0] <= gap);
    const value = quantity(kind.now(...shown.map((point) => point[1])), kind);
    setText(reading, fresh.length ? value : `${value} at ${clock(newest)}`);
    setAttribute(reading, "class", fresh.length ? "now" : "now stale");
    labels.forEach((label, number) => setText(legend.children[number], label));
    cursor.style.visibility = "hidden";
  }

  function showAt(event) {
    const { left, width } = svg.getBoundingClientRect();
    const at = scale.timeAt((event.clientX - left) / width * WIDTH);
    setAttribute(cursor, "x1", scale.x(at));
    setAttribute(cursor, "x2", scale.x(at));
    cursor.style.visibility = at >= since && at <= until ? "visible" : "hidden";
    const near = lines.map((line) => line.points.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a)));
    const read = near.map((point) => (Math.abs(point[0] - at) <= gap ? quantity(point[1], kind) : DASH));
    const clock = new Date(at * 1000).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    setText(reading, single ? `${read[0]} · ${clock}` : clock);
    if (!single) labels.forEach((label, number) => setText(legend.children[number], `${label} ${read[number]}`));
  }

  svg.addEventListener("pointermove", showAt);
  svg.addEventListener("pointerleave", showNow);
  showNow();
  return element("figure", { class: "graph", "data-metric": metric }, element("div", { class: "top-line" }, element("h3", {}, kind.title), reading), svg, legend);
}

function scaleOf(kind, points, since, until) {
  let low = Math.min(...points.map((point) => point[2]));
  let high = Math.max(...points.map((point) => point[3]));
  if (kind.zero) low = Math.min(0, low);
  const least = kind.whole ? 2 : kind.unit === "°C" ? 10 : Math.max(1e-9, Math.abs(high) * 0.1, kind.unit === "bit/s" ? 1000 : 1);
  if (high - low < least) {
    high = kind.zero ? low + least : (high + low + least) / 2;
    low = high - least;
  }
  high += (high - low) * 0.06;
  return {
    low,
    high,
    x: (at) => LEFT + (at - since) / (until - since) * (WIDTH - LEFT - RIGHT),
    y: (value) => HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM),
    timeAt: (x) => since + (x - LEFT) / (WIDTH - LEFT - RIGHT) * (until - since),
  };
}

function drawGrid(kind, { low, high, x, y }, since, until) {
  const level = ticks(low, high).flatMap((tick) => [
    drawing("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }),
    drawing("text", { x: LEFT - 4, y: y(tick) + 3, "text-anchor": "end" }, tickLabel(tick, kind)),
  ]);
  const times = moments(since, until).filter(([at]) => x(at) > LEFT + 8 && x(at) < WIDTH - 14);
  return [...level, ...times.map(([at, label]) => drawing("text", { x: x(at), y: HEIGHT - 4, "text-anchor": "middle" }, label))];
}

function drawLine({ points, colour }, { x, y }, gap) {
  return runs(points, gap).flatMap((run) => {
    const place = (value) => (point) => `${x(point[0]).toFixed(1)},${y(point[value]).toFixed(1)}`;
    const outline = [...run.map(place(3)), ...run.map(place(2)).reverse()].join(" ");
    return [
      run.some((point) => point[3] > point[2]) ? drawing("polygon", { class: "band", points: outline, fill: colour }) : null,
      run.length === 1 ? drawing("circle", { cx: x(run[0][0]), cy: y(run[0][1]), r: 2, fill: colour }) : null,
      drawing("polyline", { class: "line", points: run.map(place(1)).join(" "), stroke: colour }),
    ];
  });
}

// What is further apart than this is not joined: nothing was read in between.
function largestGap(points, since, until) {
  const times = [...new Set(points.map((point) => point[0]))].sort((a, b) => a - b);
  const steps = times.slice(1).map((at, number) => at - times[number]).sort((a, b) => a - b);
  return 3.5 * (steps.length ? steps[Math.floor(steps.length / 2)] : (until - since) / 30);
}

function runs(points, gap) {
  const found = [[]];
  points.forEach((point, number) => {
    if (number && point[0] - points[number - 1][0] > gap) found.push([]);
    found.at(-1).push(point);
  });
  return found;
}
