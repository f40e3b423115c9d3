// The list: a page of the catalogue, and never more. Rows are kept up to date one by one; the list itself is asked for
// only when a person asks for another part of it.

import { element, keepList, setText } from "/shared/element.js";
import { say } from "./api.js";
import { makeRow } from "./row.js";
import { STATES } from "./words.js";

const SHOWN = 25;
const SUGGESTED = 20;
const TYPING_MS = 250;
const AGAIN_MS = 2000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function makePrograms() {
  const list = document.getElementById("rows");
  const none = document.getElementById("none");
  const [search, state, station] = ["search", "state", "station"].map((id) => document.getElementById(id));
  const [back, on] = [document.getElementById("back"), document.getElementById("on")];
  const kept = new Map();
  let starts = [""];
  let rows = [];
  let more = false;
  let asking = null;
  let opened = null;
  let typing = null;
  let again = null;
  let timed = null;

  state.append(...Object.entries(STATES).map(([value, shown]) => element("option", { value }, shown)));
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(begin, TYPING_MS);
  });
  for (const choice of [state, station]) choice.addEventListener("change", begin);
  station.addEventListener("input", suggest);
  station.addEventListener("focus", suggest);
  document.getElementById("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  on.addEventListener("click", () => {
    starts.push(rows.at(-1).program);
    turn();
  });
  back.addEventListener("click", () => {
    starts.pop();
    turn();
  });

  const wanted = () => ({ search: search.value.trim(), state: state.value || null, station: station.value.trim() || null });
  const isFiltered = () => Object.values(wanted()).some(Boolean);

  function begin() {
    clearTimeout(typing);
    starts = [""];
    load();
  }

  async function turn() {
    opened = null;
    await load();
    document.getElementById("programs").scrollIntoView({ block: "start" });
  }

  async function load() {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    list.setAttribute("aria-busy", "true");
    const { answer, refused } = await say("content/programs", { after: starts.at(-1), limit: SHOWN, ...wanted() }, { signal });
    if (signal.aborted) return;
    list.removeAttribute("aria-busy");
    if (!answer) {
      setText(none, refused);
      none.hidden = false;
      return;
    }
    ({ programs: rows, more } = answer);
    show();
  }

  function show() {
    keepList(list, kept, rows, (row) => row.program, () => makeRow({ toggle }));
    for (const [program, part] of kept) part.setOpen(program === opened);
    none.hidden = rows.length > 0;
    setText(none, isFiltered() || starts.length > 1 ? "No program is like that." : "There is no program yet: drop a film on this page.");
    document.getElementById("paging").hidden = starts.length === 1 && !more;
    back.disabled = starts.length === 1;
    on.disabled = !more;
    const first = (starts.length - 1) * SHOWN;
    setText(document.getElementById("shown"), rows.length ? `${first + 1} to ${first + rows.length}${more ? "" : ", the last"}` : "");
    lookLater();
  }

  function toggle(program) {
    opened = opened === program ? null : program;
    for (const [name, part] of kept) part.setOpen(name === opened);
  }

  // Whoever is not settled changes without a word of it: what is in its way, or how far it is. Times come by themselves.
  function lookLater() {
    clearTimeout(timed);
    const now = Date.now();
    const unsettled = rows.filter((row) => row.to_be_carried_out.length || row.state === "stored").map((row) => row.program);
    const times = rows.flatMap((row) => [row.publish_at_ms, row.window_ends_ms]).filter((ms) => ms !== null && ms > now);
    const next = Math.min(...times, unsettled.length ? now + 2 * AGAIN_MS : Infinity);
    if (next < now + LONGEST_TIMER_MS) timed = setTimeout(() => refresh(unsettled.length ? unsettled : rows.map((row) => row.program)), Math.max(0, next - now) + 50);
  }

  // Ask again about these programs alone.
  async function refresh(programs) {
    if (!programs.length) return;
    const page = rows;
    const found = new Map();
    for (let left = programs; left.length;) {
      const { answer } = await say("content/programs", { only: left });
      if (!answer || page !== rows) return lookLater();
      for (const row of answer.programs) found.set(row.program, row);
      left = answer.more ? left.slice(left.indexOf(answer.programs.at(-1).program) + 1) : [];
    }
    const others = rows.filter((row) => !programs.includes(row.program) || found.has(row.program));
    const known = new Set(others.map((row) => row.program));
    const fresh = [...found.values()].filter((row) => !known.has(row.program) && fits(row));
    const merged = [...others.map((row) => found.get(row.program) ?? row), ...fresh].sort((one, other) => (one.program < other.program ? -1 : 1));
    more ||= merged.length > SHOWN;
    rows = merged.slice(0, Math.max(SHOWN, rows.length));
    show();
  }

  // Whether a program that was not here belongs to what is shown.
  function fits(row) {
    const asked = wanted();
    const text = asked.search.toLowerCase();
    const isWanted = (!text || `${row.program}\n${row.title}`.toLowerCase().includes(text))
      && (!asked.state || row.state === asked.state)
      && (!asked.station || row.stations[asked.station] || row.holding > Object.keys(row.stations).length);
    return isWanted && isWithin(row.program);
  }

  const isWithin = (program) => program > starts.at(-1) && (!more || program < rows.at(-1)?.program);

  // Programs that have changed; null: more of them than were told.
  function changed(programs) {
    if (programs === null) return load();
    const shown = new Set(rows.map((row) => row.program));
    return refresh(programs.filter((program) => shown.has(program) || isWithin(program)).slice(0, 100));
  }

  function moved() {
    again ??= setTimeout(() => {
      again = null;
      refresh(rows.map((row) => row.program));
    }, AGAIN_MS);
  }

  // Some of the stations whose names begin like what is written.
  async function suggest() {
    const { answer } = await say("registry/stations", { begins: station.value.trim(), limit: SUGGESTED });
    if (answer) document.getElementById("stations-found").replaceChildren(...answer.stations.map((one) => element("option", { value: one.station })));
  }

  function fleetChanged() {
    for (const part of kept.values()) part.fleetChanged();
  }

  return { load, changed, moved, fleetChanged };
}
