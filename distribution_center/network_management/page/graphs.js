// Graphs as SVG: a line for each part of a component, the band between its least and greatest behind it.

const WIDTH = 320, HEIGHT = 130, LEFT = 38, RIGHT = 6, TOP = 8, BOTTOM = 16;
const COLOURS = ["#2f7de1", "#e8791d", "#2a9d5c", "#b04fc6", "#c9a400", "#d6455d", "#1aa3b8", "#8a6f4d"];
const LINES_MAX = 16;

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

export function quantity(value, kind) {
  const { unit, whole } = kind;
  if (unit === "bit/s") {
    const step = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([size]) => Math.abs(value) >= size);
    return step ? `${short(value / step[0])} ${step[1]}bit/s` : `${Math.round(value)} bit/s`;
  }
  const text = whole ? String(Math.round(value)) : short(value);
  return unit ? `${text} ${unit}` : text;
}

function short(value) {
  const size = Math.abs(value);
  return String(size >= 100 ? Math.round(value) : size >= 10 ? Math.round(value * 10) / 10 : Math.round(value * 100) / 100);
}

function node(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

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
  into.replaceChildren(...(drawn.length ? drawn : [element("p", "hint", "No readings in this span yet.")]));
}

function drawGraph(metric, kind, parts, since, until) {
  const lines = Object.entries(parts).filter(([, points]) => points.length).slice(0, LINES_MAX);
  const all = lines.flatMap(([, points]) => points);
  let low = Math.min(...all.map((point) => point[2])), high = Math.max(...all.map((point) => point[3]));
  if (kind.zero) low = Math.min(0, low);
  const least = kind.whole ? 2 : kind.unit === "°C" ? 10 : Math.max(1e-9, Math.abs(high) * 0.1, kind.unit === "bit/s" ? 1000 : 1);
  if (high - low < least) { high = kind.zero ? low + least : (high + low + least) / 2; low = high - least; }
  high += (high - low) * 0.06;
  const x = (at) => LEFT + (at - since) / (until - since) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": kind.title });
  for (const tick of ticks(low, high)) {
    svg.append(node("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
    svg.append(node("text", { x: LEFT - 4, y: y(tick) + 3, "text-anchor": "end" }, axisLabel(tick, kind)));
  }
  for (const [at, label] of moments(since, until)) {
    if (x(at) > LEFT + 8 && x(at) < WIDTH - 14) svg.append(node("text", { x: x(at), y: HEIGHT - 4, "text-anchor": "middle" }, label));
  }
  const gap = largestGap(all, since, until);
  lines.forEach(([, points], number) => {
    const colour = COLOURS[number % COLOURS.length];
    for (const run of runs(points, gap)) {
      const place = (value) => (point) => `${x(point[0]).toFixed(1)},${y(point[value]).toFixed(1)}`;
      if (run.some((point) => point[3] > point[2])) {
        const outline = [...run.map(place(3)), ...run.map(place(2)).reverse()].join(" ");
        svg.append(node("polygon", { class: "band", points: outline, fill: colour }));
      }
      if (run.length === 1) svg.append(node("circle", { cx: x(run[0][0]), cy: y(run[0][1]), r: 2, fill: colour }));
      svg.append(node("polyline", { class: "line", points: run.map(place(1)).join(" "), stroke: colour }));
    }
  });
  const cursor = node("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM });
  svg.append(cursor);
  const fresh = lines.map(([, points]) => points.at(-1)).filter((point) => until - point[0] <= Math.max(gap, 60));
  const nowText = fresh.length ? quantity(kind.now(...fresh.map((point) => point[1])), kind) : "–";
  const now = element("span", "now", nowText);
  const legend = element("ul", "", ...lines.map(([part], number) => {
    const item = element("li", "", part || kind.title);
    item.style.setProperty("--series", COLOURS[number % COLOURS.length]);
    return item;
  }));
  const single = lines.length === 1 && !lines[0][0];
  if (single) legend.replaceChildren();
  const showAt = (event) => {
    const box = svg.getBoundingClientRect();
    const at = since + ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT) * (until - since);
    cursor.setAttribute("x1", x(at)); cursor.setAttribute("x2", x(at));
    cursor.style.visibility = at >= since && at <= until ? "visible" : "hidden";
    const nearest = lines.map(([, points]) => points.reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));
    const read = nearest.map((point) => Math.abs(point[0] - at) <= gap ? quantity(point[1], kind) : "–");
    const clock = new Date(at * 1000).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    now.textContent = single ? `${read[0]} · ${clock}` : clock;
    if (!single) [...legend.children].forEach((item, number) => { item.textContent = `${lines[number][0] || kind.title} ${read[number]}`; });
  };
  svg.addEventListener("pointermove", showAt);
  svg.addEventListener("pointerleave", () => {
    cursor.style.visibility = "hidden";
    now.textContent = nowText;
    if (!single) [...legend.children].forEach((item, number) => { item.textContent = lines[number][0] || kind.title; });
  });
  const made = element("figure", "graph", element("div", "top", element("h3", "", kind.title), now), svg, legend);
  made.dataset.metric = metric;
  return made;
}

function axisLabel(tick, kind) {
  if (kind.unit !== "bit/s") return short(tick);
  const step = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([size]) => Math.abs(tick) >= size);
  return step ? `${short(tick / step[0])}${step[1]}` : short(tick);
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
