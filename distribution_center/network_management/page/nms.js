// The map, the alarms and what is selected, kept up to date by server-sent events.

import { drawGraphs, quantity } from "/graphs.js";

const components = new Map();
let alarms = [];
let selected = "";
let span = 600;
const SPANS = [[600, "10 min"], [3600, "1 h"], [86400, "1 d"], [30 * 86400, "30 d"], [365 * 86400, "1 y"]];
const SEVERITY = { critical: "red", major: "orange", minor: "yellow", warning: "yellow", indeterminate: "yellow" };
const BPS = { unit: "bit/s" };
// What a slot says where nothing is streamed: in service (M4) its temperature, else what is the matter (PICMG 3.0, 3.2.4).
const HOT_SWAP = { M1: "off", M2: "waits", M3: "starts", M5: "leaves", M6: "leaves", M7: "lost" };
const byId = (id) => document.getElementById(id);

function make(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const children = (name, kind) => [...components.values()].filter((each) => each.parent === name && (!kind || each.kind === kind));

function select(name) {
  if (name !== selected) byId("graphs").replaceChildren(make("p", "hint", "Reading …"));
  selected = name;
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  drawMap();
  drawSelected();
}

function pick(name, className, ...inside) {
  const made = make("button", className, ...inside);
  made.type = "button";
  made.dataset.component = name;
  made.setAttribute("aria-pressed", String(name === selected));
  made.addEventListener("click", () => select(name));
  return made;
}

// The map

function drawMap() {
  const focused = document.activeElement?.dataset?.component;
  const centers = [...components.values()].filter((each) => each.kind === "center");
  const cards = centers.map((center) => make("article", "center", centerHead(center), stationsOf(center)));
  if (cards.length) byId("map").replaceChildren(...cards);
  if (focused) byId("map").querySelector(`[data-component="${CSS.escape(focused)}"]`)?.focus();
}

function centerHead(center) {
  const { scalars } = center;
  const facts = [];
  if (scalars.msdPrograms !== undefined) facts.push(`${count(scalars.msdPrograms, "program")}, ${scalars.msdProgramsPublished ?? 0} published`);
  if (center.health !== "answering") facts.push(`agent ${center.health}`);
  const hint = make("span", "hint", facts.join(" · "));
  return pick(center.component, "title", make("span", `dot ${center.colour}`), make("b", "", `Center ${center.name || center.label}`), hint);
}

function stationsOf(center) {
  return make("div", "stations", ...children(center.component, "station").map(drawStation));
}

function drawStation(station) {
  const facts = station.station;
  const notes = [];
  if (facts?.home) notes.push("home");
  if (facts) notes.push(count(facts.programs, "program"));
  if (station.health !== "answering") notes.push(facts ? `director silent ${age(facts.silent_s)}` : "not registered");
  const title = pick(station.component, "title", make("b", "", station.label), make("span", "hint", notes.join(" · ")));
  const chassis = children(station.component, "chassis")[0];
  const card = make("article", `station ${station.worst}`, title, drawRack(station, chassis));
  card.append(chassis ? chassisFoot(chassis) : make("p", "foot", "no chassis manager known"));
  return card;
}

function drawRack(station, chassis) {
  const blades = new Map(children(station.component, "blade").map((blade) => [blade.slot, blade]));
  const views = new Map((chassis?.slots ?? []).map((view) => [view.slot, view]));
  const known = [...new Set([...blades.keys(), ...views.keys()])].sort((a, b) => a - b);
  return make("div", "rack", ...known.map((slot) => drawSlot(station, slot, blades.get(slot), views.get(slot))));
}

function drawSlot(station, slot, blade, view) {
  if (!blade) {
    const empty = make("span", "slot empty", make("span", "", String(slot)), make("b", "", ""), make("span", "", view?.hot_swap ?? ""));
    empty.title = `${station.label} slot ${slot}: ${view?.hot_swap === "M1" ? "inactive" : "no blade in service"}`;
    return empty;
  }
  const role = { director: "D", engine: "E" }[view?.role] ?? (blade.slot ? "" : "D");
  const mark = blade.health === "lost" ? "✕" : blade.health !== "answering" ? "?" : role || "·";
  const streams = blade.last.streams ?? view?.streams;
  const degrees = blade.last.temperature_c === undefined ? "" : `${Math.round(blade.last.temperature_c)}°`;
  const bottom = streams ? `▶${streams}` : HOT_SWAP[view?.hot_swap] ?? degrees;
  const silent = blade.health === "silent" || blade.health === "unknown" ? " silent" : "";
  const made = pick(blade.component, `slot ${blade.colour}${silent}`, make("span", "", String(slot || "")), make("b", "", mark), make("span", "", bottom));
  made.title = describe(blade, view);
  made.setAttribute("aria-label", made.title);
  return made;
}

function describe(blade, view) {
  const parts = [blade.label, view?.role, view?.hot_swap, view?.admin, blade.health === "answering" ? "" : `${blade.health}: ${blade.reason}`];
  if (blade.last.temperature_c !== undefined) parts.push(`${blade.last.temperature_c.toFixed(1)} °C`);
  if (blade.last.sent_bps !== undefined) parts.push(quantity(blade.last.sent_bps, BPS));
  return parts.filter(Boolean).join(", ");
}

function chassisFoot(chassis) {
  const { last } = chassis;
  const foot = pick(chassis.component, "foot", make("span", `dot ${chassis.colour}`), make("span", "", "chassis"));
  if (chassis.health !== "answering") {
    foot.append(make("span", "", chassis.health === "unknown" ? "not asked yet" : `${chassis.health}: ${chassis.reason}`));
  } else if (last.power_budget_w) {
    const bar = make("i");
    const drawn = last.power_w ?? last.power_granted_w ?? 0;
    bar.style.width = `${Math.min(100, drawn / last.power_budget_w * 100)}%`;
    foot.append(make("span", "meter", bar), make("span", "", `${Math.round(drawn)} of ${Math.round(last.power_budget_w)} W`));
  }
  return foot;
}

const plural = (number, what) => (number === 1 ? what : `${what}s`);
const count = (number, what) => `${number} ${plural(number, what)}`;

function moment(seconds) {
  const at = new Date(seconds * 1000);
  const clock = at.toLocaleTimeString([], { hourCycle: "h23" });
  return at.toDateString() === new Date().toDateString() ? clock : `${at.toLocaleDateString()} ${clock}`;
}

function age(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

// What is at the top

function drawCounts() {
  const all = [...components.values()];
  const of = (kind) => all.filter((each) => each.kind === kind).length;
  const chips = [["", of("station"), "station"], ["", of("blade"), "blade"]].map(([colour, number, what]) => [colour, String(number), plural(number, what)]);
  const streams = all.filter((each) => each.kind === "blade").reduce((sum, each) => sum + (each.last.streams ?? 0), 0);
  const sent = all.filter((each) => each.kind === "blade").reduce((sum, each) => sum + (each.last.sent_bps ?? 0), 0);
  chips.push(["", String(streams), plural(streams, "stream")], ["", quantity(sent, BPS), "sent"]);
  const silent = all.filter((each) => each.agent && each.health === "silent").length;
  if (silent) chips.push(["grey", String(silent), "silent"]);
  for (const [severity, colour] of Object.entries(SEVERITY)) {
    const present = alarms.filter((alarm) => alarm.severity === severity && alarm.state !== "cleared").length;
    if (present) chips.push([colour, String(present), severity]);
  }
  byId("counts").replaceChildren(...chips.map(([colour, number, what]) => chip(colour, make("b", "", number), ` ${what}`)));
  const urgent = alarms.filter((alarm) => alarm.state === "active").length;
  document.title = urgent ? `(${urgent}) Media network` : "Media network";
}

function chip(colour, ...inside) {
  const made = make("li", colour, ...inside);
  if (!colour) made.removeAttribute("class");
  return made;
}

// Alarms

function drawAlarms() {
  byId("none").hidden = alarms.length > 0;
  byId("rows").closest("table").hidden = !alarms.length;
  byId("rows").replaceChildren(...alarms.map((alarm) => {
    const label = components.get(alarm.component)?.label ?? alarm.component;
    const where = components.has(alarm.component) ? pick(alarm.component, "", label) : label;
    const what = [alarm.kind, alarm.resource].filter(Boolean).join(", ");
    const state = alarm.state + (alarm.flapping ? ", flapping" : "") + (alarm.acknowledged_by ? ` by ${alarm.acknowledged_by}` : "");
    const since = make("time", "", moment(alarm.raised_at));
    since.title = new Date(alarm.raised_at * 1000).toLocaleString();
    const row = make("tr", alarm.state,
      make("td", "", make("span", `badge ${alarm.state === "cleared" ? "green" : SEVERITY[alarm.severity]}`, alarm.severity)),
      make("td", "", where), make("td", "", make("b", "", what), alarm.text ? ` – ${alarm.text}` : ""),
      make("td", "", since), make("td", "", state), make("td", "", ...(alarm.acknowledged_by ? [] : [acknowledgeButton(alarm)])));
    row.dataset.alarm = alarm.number;
    return row;
  }));
}

function acknowledgeButton(alarm) {
  const made = make("button", "acknowledge", "Acknowledge");
  made.type = "button";
  made.addEventListener("click", () => acknowledge(alarm.number));
  return made;
}

async function acknowledge(number) {
  const person = byId("person").value.trim();
  const refused = byId("refused");
  if (!person) { refused.textContent = "Say who you are first."; byId("person").focus(); return; }
  const answer = await fetch("/acknowledge", {
    method: "POST",
    headers: { Authorization: `Bearer ${byId("token").value.trim()}`, "Content-Type": "application/json" },
    body: JSON.stringify({ alarm: number, person }),
  }).catch(() => null);
  refused.textContent = answer?.ok ? "" : answer?.status === 401 ? "That is not the token." : answer ? await answer.text() : "No answer.";
}

// What is selected

function drawSelected() {
  const one = components.get(selected);
  byId("name").textContent = one ? (one.kind === "center" ? `Center ${one.name || one.label}` : one.label) : "Choose a station, chassis or blade";
  byId("facts").textContent = one ? factsOf(one) : "";
  byId("spans").replaceChildren(...SPANS.map(([seconds, label]) => {
    const made = make("button", "", label);
    made.type = "button";
    made.setAttribute("aria-pressed", String(seconds === span));
    made.addEventListener("click", () => { span = seconds; drawSelected(); });
    return made;
  }));
  readGraphs();
}

function factsOf(one) {
  const chassis = children(one.kind === "blade" ? one.parent : one.component, "chassis")[0];
  const view = one.kind === "blade" ? chassis?.slots?.find((each) => each.slot === one.slot) : undefined;
  const facts = [view?.role, view?.hot_swap, view?.admin];
  if (one.station) facts.push(`director ${one.station.director}`, `epoch ${one.station.epoch}`, count(one.station.engines, "engine"));
  if (one.agent) facts.push(`SNMP ${one.agent}`);
  if (one.health !== "answering") facts.push(one.reason ? `${one.health}: ${one.reason}` : one.health);
  return facts.filter(Boolean).join(" · ");
}

let reading = 0;
async function readGraphs() {
  const mine = ++reading;
  if (!components.has(selected)) return;
  const answer = await fetch(`/graphs?component=${encodeURIComponent(selected)}&span=${span}`).catch(() => null);
  if (!answer?.ok || mine !== reading) return;
  const graphs = await answer.json();
  if (mine === reading && !byId("graphs").matches(":hover")) drawGraphs(byId("graphs"), graphs);
}

// Events

function take(change, whole) {
  if (whole) components.clear();
  for (const each of change.components) components.set(each.component, each);
  if (change.alarms) alarms = change.alarms;
  if (!components.has(selected)) selected = [...components.values()].find((each) => each.kind === "station")?.component ?? "";
  if (change.components.length || whole) drawMap();
  if (change.alarms || whole) drawAlarms();
  drawCounts();
  const one = components.get(selected);
  if (whole) drawSelected(); else if (one) byId("facts").textContent = factsOf(one);
}

selected = decodeURIComponent(location.hash.slice(1));
const events = new EventSource("/events");
const connection = byId("connection");
events.addEventListener("open", () => { connection.textContent = "live"; connection.className = "live"; });
events.addEventListener("error", () => { connection.textContent = "no connection, trying again"; connection.className = "lost"; });
events.addEventListener("network", (event) => take(JSON.parse(event.data), true));
events.addEventListener("changes", (event) => take(JSON.parse(event.data), false));
byId("who").addEventListener("submit", (event) => event.preventDefault());
setInterval(() => { if (!document.hidden) readGraphs(); }, 5000);
