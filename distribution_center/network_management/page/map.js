// The stations: searched, filtered, in a chosen order; and the centers above them.

import { makeChoices } from "/shared/choices.js";
import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { find, nameOf, ofKind, partsOf, theTotals } from "./network.js";
import { makeOrdered } from "./ordered.js";
import { CONDITIONS, changingIcon, rankOfColour } from "./severity.js";
import { makeStation } from "./station.js";
import { count, trouble } from "./words.js";

const FEW_STATIONS = 6;
const byName = (a, b) => a.label.localeCompare(b.label, undefined, { numeric: true });
const sumOf = (station, metric) => partsOf(station.component, "blade").reduce((sum, blade) => sum + (blade.last?.[metric] ?? 0), 0);
const hottest = (station) => Math.max(0, ...partsOf(station.component, "blade").map((blade) => blade.last?.temperature_c ?? 0));
// By what: a number, the least first.
const ORDERS = {
  worst: (station) => rankOfColour(station.worst),
  name: () => 0,
  streams: (station) => -sumOf(station, "streams"),
  temperature: (station) => -hottest(station),
};
const SHOWN = [["all", "All", "All stations"], ["bad", "Only bad", "Only stations that something is wrong with"]];
const FOLDS = [["open", "Open", "Every chassis from the front"], ["closed", "Closed", "A line for each station"]];

const factsOfCenter = ({ msdPrograms: programs, msdProgramsPublished: published }) => [
  programs !== undefined && `${count(programs, "program")}, ${published ?? 0} published`,
];
const factsOfHeadquarters = ({ mshCenters: centers, mshCentersAway: away, mshPrograms: programs, mshOrdersOpen: orders }) => [
  centers !== undefined && `${count(centers, "center")}${away ? `, ${away} away` : ""}`,
  programs !== undefined && count(programs, "program"),
  orders > 0 && `${count(orders, "order")} open`,
];

export function makeMap(root, select) {
  const [search, order, tools, centers, list, told] = ["search", "order", "tools", "centers", "stations", "shown"].map((id) => document.getElementById(id));
  const kept = new Map();
  const folded = new Map();
  let onlyBad = false;
  let openAll = null;
  let marked = "";

  const stations = makeOrdered(list, (name) => makeStation(name, { select, isOpen, open }), {
    compare: (a, b) => a.rank - b.rank || byName(a.station, b.station),
    isShown: ({ station }) => (!onlyBad || station.worst !== "green") && matches(station),
  });

  function isOpen(name) {
    return folded.get(name) ?? openAll ?? theTotals().stations <= FEW_STATIONS;
  }

  function open(name, whether) {
    folded.set(name, whether);
    stations.put(name, itemOf(find(name)));
    markIn(stations.get(name).root);
  }

  function matches(station) {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = [station.label, station.worst === "green" ? "" : CONDITIONS[station.worst].word, station.station?.director ?? ""].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  }

  const itemOf = (station) => ({ station, rank: ORDERS[order.value](station) });

  function tell() {
    const all = theTotals().stations;
    const shown = stations.shown().length;
    setText(told, shown === all ? count(all, "station") : `${shown} of ${count(all, "station")}`);
  }

  function redraw() {
    for (const { item } of stations.all()) stations.put(item.station.component, itemOf(item.station));
    tell();
  }

  search.addEventListener("input", () => { stations.filter(); tell(); });
  order.addEventListener("change", () => {
    for (const part of stations.all()) part.item = itemOf(part.item.station);
    stations.sort();
  });
  tools.append(
    makeChoices("shown", "Which stations", SHOWN, "all", (which) => { onlyBad = which === "bad"; stations.filter(); tell(); }),
    makeChoices("folds", "How stations are drawn", FOLDS, "", (how) => { openAll = how === "open"; folded.clear(); redraw(); markIn(list); }),
  );

  function makeCenter() {
    const mark = changingIcon("unknown");
    const [name, facts] = [element("b"), element("span", { class: "hint" })];
    const root = element("button", { type: "button", class: "center", click: () => select(root.dataset.component) }, mark.root, name, facts);
    return {
      root,
      update(center) {
        const told = center.kind === "headquarters" ? factsOfHeadquarters : factsOfCenter;
        setAttribute(root, "data-component", center.component);
        setAttribute(mark.root, "class", `icon ${center.colour}`);
        mark.show(CONDITIONS[center.colour].shape);
        setText(name, nameOf(center));
        setText(facts, [...told(center.scalars ?? {}), trouble(center)].filter(Boolean).join(" · "));
      },
    };
  }

  function markIn(part) {
    for (const button of part.querySelectorAll("button[data-component]")) {
      setAttribute(button, "aria-pressed", String(button.dataset.component === marked));
    }
  }

  return {
    // Only what is named.
    update(changed) {
      const touched = new Set();
      let centersToo = false;
      for (const name of changed) {
        const one = find(name);
        if (name.startsWith("@")) centersToo = true;
        else touched.add(one?.kind === "station" ? name : one?.parent ?? name.split("/")[0]);
      }
      if (centersToo) keepList(centers, kept, [...ofKind("headquarters"), ...ofKind("center")], (center) => center.component, makeCenter);
      for (const name of touched) {
        const station = find(name);
        if (station) stations.put(name, itemOf(station));
        else stations.remove(name);
      }
      if (touched.size) root.querySelector(".hint.waiting")?.remove();
      for (const name of touched) if (stations.get(name)) markIn(stations.get(name).root);
      if (touched.size) tell();
    },
    first: () => stations.all()[0]?.item.station.component ?? "",
    mark(selected) {
      const before = marked;
      marked = selected;
      for (const name of [before, marked]) {
        const part = stations.get(name.split("/")[0]);
        if (part) markIn(part.root);
        else if (name.startsWith("@")) markIn(centers);
      }
    },
  };
}
