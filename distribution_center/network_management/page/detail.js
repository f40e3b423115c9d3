// What is selected: its facts, and its graphs or its past alarms over a span of time, read again now and then.

import { makeChoices } from "/shared/choices.js";
import { element, setAttribute, setText } from "/shared/element.js";
import { drawGraphs } from "./graphs.js";
import { find, isStale, nameOf, viewOf } from "./network.js";
import { makePast } from "./past.js";
import { makeSpan } from "./span.js";
import { clock, count, trouble } from "./words.js";

const READ_AGAIN_MS = 5000;
const VIEWS = [["graphs", "Graphs", "Graphs of what is selected"], ["past", "Past alarms", "Cleared alarms of what is selected"], ["all", "All past alarms", "Cleared alarms of the whole network"]];

export function makeDetail(root, select) {
  const [name, facts, stale, graphs, files] = ["name", "facts", "stale", "graphs", "files"].map((id) => document.getElementById(id));
  const past = makePast(document.getElementById("past"), select);
  const span = makeSpan(read);
  let view = "graphs";
  let shown = "";
  let reading = 0;
  const views = makeChoices("view", "What is shown", VIEWS, view, (chosen) => { view = chosen; read(); });
  root.querySelector(".head").after(element("div", { class: "bar" }, views, span.root));

  const whose = () => (view === "all" ? {} : { component: shown });

  function drawFiles() {
    const query = new URLSearchParams({ ...whose(), ...span.query() });
    const paths = view === "graphs" ? [["graphs.csv", "CSV"], ["graphs", "JSON"]] : [["alarms.csv", "CSV"], ["alarms.json", "JSON"]];
    files.replaceChildren("Save as ", ...paths.map(([path, what]) => element("a", { href: `/${path}?${query}`, download: path.includes(".") ? path : `${path}.json` }, what)));
  }

  async function read() {
    const mine = ++reading;
    graphs.hidden = view !== "graphs";
    past.root.hidden = view === "graphs";
    if (view !== "all" && !find(shown)) return;
    drawFiles();
    const query = new URLSearchParams({ ...whose(), ...span.query() });
    const answer = await fetch(`/${view === "graphs" ? "graphs" : "past-alarms"}?${query}`).catch(() => null);
    if (!answer?.ok || mine !== reading) return;
    const found = await answer.json();
    if (mine !== reading) return;
    if (view !== "graphs") past.show(found);
    else if (!graphs.matches(":hover")) drawGraphs(graphs, found);
  }

  setInterval(() => { if (!document.hidden && span.isLive()) read(); }, READ_AGAIN_MS);
  return {
    show(component) {
      if (component !== shown) graphs.replaceChildren(element("p", { class: "hint" }, "Reading …"));
      shown = component;
      this.update();
      read();
    },
    showAllPast() {
      views.querySelector("input[value=all]").click();
      root.scrollIntoView({ block: "nearest" });
    },
    update() {
      const one = find(shown);
      setText(name, one ? nameOf(one) : "Choose a station, chassis or blade");
      setText(facts, one ? factsOf(one) : "");
      const old = one?.agent && isStale(one) && one.heard_at;
      stale.hidden = !old;
      setText(stale, old ? `Stale: it does not answer; what it said is of ${clock(one.heard_at)}.` : "");
      setAttribute(graphs, "class", old ? "stale" : "");
    },
  };
}

function factsOf(one) {
  const view = one.kind === "blade" ? viewOf(one) : undefined;
  const facts = [view?.role, view?.hot_swap, view?.admin];
  if (one.station) facts.push(`director ${one.station.director}`, `epoch ${one.station.epoch}`, count(one.station.engines, "engine"));
  if (one.agent) facts.push(`SNMP ${one.agent}`);
  return [...facts, trouble(one)].filter(Boolean).join(" · ");
}
