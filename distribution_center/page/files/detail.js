// A program more closely: station by station, what its film lacks, and the orders for it.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { say } from "./api.js";
import { percent } from "./bars.js";
import { deleteAt } from "./deletions.js";
import { makeDistributing } from "./distributing.js";
import { makePublishing } from "./publishing.js";
import * as words from "./words.js";

let number = 0;

function makePlace() {
  const cells = ["station", "segments", "copies", "rate", "standing"].map((name) => element(name === "station" ? "th" : "td", { class: name, ...(name === "station" ? { scope: "row" } : {}) }));
  const end = element("button", { type: "button", class: "plain", click: () => deleteAt(program, station) }, "Delete");
  const root = element("tr", {}, ...cells, element("td", {}, end));
  let program = "";
  let station = "";
  function update({ place, of, name }) {
    program = name;
    station = place.station;
    setAttribute(end, "aria-label", `Delete at ${station}`);
    const [where, segments, copies, rate, standing] = cells;
    setText(where, station);
    setText(segments, `${place.segments} of ${of} (${percent(place.segments, of)} %)`);
    setText(copies, place.copies === null ? "" : `${place.copies} ordered, ${place.whole_copies === of ? "all there" : `${place.whole_copies} of ${of} segments have them`}`);
    setText(rate, place.copies === null ? "" : place.rate_bps === null ? "any" : words.rate(place.rate_bps));
    setText(standing, place.copies === null ? "not ordered" : place.carried_out ? "carried out" : place.obstacle ?? "being carried out");
    setAttribute(root, "data-grade", place.obstacle ? "critical" : null);
  }
  return { root, update };
}

function makeTable(id) {
  const body = element("tbody");
  const places = new Map();
  const more = element("button", { type: "button", class: "plain", hidden: true }, "More stations");
  const heads = ["Station", "Segments", "Copies", "Rate", "Order", ""].map((name) => element("th", { scope: "col" }, name));
  const root = element("div", { class: "table", role: "region", "aria-labelledby": id, tabindex: "0" },
    element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body), more);
  let shown = 100;
  let program = null;
  more.addEventListener("click", () => {
    shown += 100;
    look();
  });

  async function look() {
    const found = [];
    let answer = null;
    do {
      ({ answer } = await say("content/places", { program, after: found.at(-1)?.station ?? "" }));
      if (!answer) return;
      found.push(...answer.places);
    } while (answer.more && found.length < shown);
    more.hidden = !answer.more;
    keepList(body, places, found.map((place) => ({ place, of: answer.segments, name: program })), ({ place }) => place.station, makePlace);
  }

  return { root, update(row) { program = row.program; look(); } };
}

export function makeDetail() {
  number += 1;
  const id = `detail-${number}`;
  const table = makeTable(`${id}-where`);
  const warnings = element("ul", { class: "warnings" });
  const warned = element("section", { "aria-labelledby": `${id}-warnings` }, element("h3", { id: `${id}-warnings` }, "Warnings"), warnings);
  const lines = new Map();
  const distributing = makeDistributing(id);
  const publishing = makePublishing(id);
  const root = element("div", { class: "detail" },
    element("section", {}, element("h3", { id: `${id}-where` }, "Where it is"), table.root),
    warned,
    element("div", { class: "orders" }, distributing.root, publishing.root));
  let seen = "";

  function update(row) {
    warned.hidden = !row.warnings.length;
    keepList(warnings, lines, row.warnings, (warning) => warning, () => {
      const line = element("li");
      return { root: line, update: (warning) => setText(line, warning) };
    });
    distributing.update(row);
    publishing.update(row);
    const now = JSON.stringify([row.stations, row.holding, row.whole, row.to_be_carried_out, row.obstacles, row.state]);
    if (now === seen) return;
    seen = now;
    table.update(row);
  }

  return { root, update, fleetChanged: distributing.list };
}
