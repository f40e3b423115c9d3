// The order to bring a program to stations, and to keep it there.

import { element, keepList, setText } from "/shared/element.js";
import { notice } from "/shared/notices.js";
import { say } from "./api.js";
import * as words from "./words.js";

const LISTED = 100;
const SILENT_MS = 15000;

export function makeDistributing(id) {
  const filter = element("input", { type: "search", placeholder: "First letters of a station", "aria-label": "Search stations", input: list });
  const choices = element("ul", { class: "choices-of-stations", "aria-label": "Stations" });
  const hidden = element("p", { class: "hint" });
  const copies = element("input", { type: "number", min: "1", max: "64", value: "2", required: true });
  const rate = element("input", { type: "number", min: "0.001", step: "any", placeholder: "any" });
  const send = element("button", { type: "submit", class: "order" }, "Distribute");
  const form = element("form", { class: "form", "aria-labelledby": `${id}-distribute`, submit: order },
    element("h3", { id: `${id}-distribute` }, "Distribute"),
    filter, choices, hidden,
    element("div", { class: "fields" },
      element("label", { class: "field" }, "Copies at each", copies),
      element("label", { class: "field" }, "Rate, Mbit/s", rate)),
    send);
  const chosen = new Set();
  const lines = new Map();
  let program = null;

  function makeChoice() {
    const box = element("input", { type: "checkbox", change: () => (box.checked ? chosen.add(box.value) : chosen.delete(box.value)) });
    const name = element("span");
    const root = element("li", {}, element("label", {}, box, name));
    return { root, update(station) { box.value = station.station; box.checked = chosen.has(station.station); setText(name, station.silent_ms < SILENT_MS ? station.station : `${station.station} (silent)`); } };
  }

  async function list() {
    const begins = filter.value.trim();
    const { answer } = await say("registry/stations", { begins, limit: LISTED });
    if (!answer || begins !== filter.value.trim()) return;
    const found = answer.stations.filter((station) => !station.home);
    if (!begins) filter.hidden = found.length <= 8;
    keepList(choices, lines, found, (station) => station.station, makeChoice);
    setText(hidden, answer.more ? "and more: search" : found.length ? "" : begins ? "No station begins so." : "No station but the home station has registered.");
  }

  async function order(event) {
    event.preventDefault();
    if (!chosen.size) {
      notice("Choose a station first.", { refused: true });
      return;
    }
    send.disabled = true;
    const rate_bps = rate.value ? Math.round(Number(rate.value) * 1e6) : null;
    const { refused } = await say("content/distribute", { program, stations: [...chosen], copies: Number(copies.value), rate_bps });
    send.disabled = false;
    notice(refused || `${program} is ordered to ${words.count(chosen.size, "station")}.`, { refused: Boolean(refused) });
  }

  list();
  return { root: form, list, update(row) { program = row.program; } };
}
