// Where a program is: a bar for each station, those first that lack something.

import { element, keepList, setAttribute, setStyle, setText } from "/shared/element.js";

const SHOWN = 6;

// What a row says of a station: { station, segments, ordered, obstacle, grade }.
function placesOf(row) {
  const waiting = new Set(row.to_be_carried_out);
  const names = new Set([...Object.keys(row.stations), ...waiting]);
  return [...names].map((station) => {
    const segments = row.stations[station] ?? 0;
    const obstacle = row.obstacles[station] ?? "";
    const grade = obstacle ? "critical" : waiting.has(station) ? "warning" : segments < row.segments ? "partial" : "ok";
    return { station, segments, of: row.segments, obstacle, grade };
  });
}

const RANK = { critical: 0, warning: 1, partial: 2, ok: 3 };
const before = (one, other) => RANK[one.grade] - RANK[other.grade] || one.station.localeCompare(other.station);
export const percent = (segments, of) => (segments === of ? 100 : Math.min(99, Math.floor((100 * segments) / of)));

function makeBar() {
  const name = element("span", { class: "where" });
  const level = element("span", { class: "level" });
  const share = element("span", { class: "share" });
  const root = element("li", { class: "bar" }, name, element("span", { class: "meter", "aria-hidden": "true" }, level), share);
  function update(place) {
    setAttribute(root, "data-grade", place.grade);
    setText(name, place.station);
    setStyle(level, "--share", place.segments / place.of);
    setText(share, place.grade === "warning" && place.segments === place.of ? "copies" : `${percent(place.segments, place.of)} %`);
    setAttribute(root, "title", `${place.station}: ${place.segments} of ${place.of} segments${place.obstacle ? `; ${place.obstacle}` : ""}`);
  }
  return { root, update };
}

export function makeBars() {
  const list = element("ul", { class: "bars", "aria-label": "Segments by station" });
  const rest = element("p", { class: "rest hint" });
  const bars = new Map();
  const root = element("div", { class: "places" }, list, rest);
  function update(row) {
    const places = placesOf(row).sort(before);
    keepList(list, bars, places.slice(0, SHOWN), (place) => place.station, makeBar);
    // The row tells of some stations only, and of all of them how many there are.
    const shown = places.slice(0, SHOWN);
    const hidden = row.holding - shown.filter((place) => place.segments).length;
    const lacking = hidden - (row.whole - shown.filter((place) => place.segments === row.segments).length);
    setText(rest, !places.length ? "nowhere yet" : hidden <= 0 ? "" : `and ${hidden} more${lacking > 0 ? `, ${lacking} of them not whole` : ", whole"}`);
  }
  return { root, update };
}
