// What is selected: its facts, and its graphs over a span of time, read again now and then.

import { makeChoices } from "/shared/choices.js";
import { element, setText } from "/shared/element.js";
import { drawGraphs } from "./graphs.js";
import { find, nameOf, viewOf } from "./network.js";
import { count, trouble } from "./words.js";

const READ_AGAIN_MS = 5000;
const SPANS = [[600, "10 min", "10 minutes"], [3600, "1 h", "an hour"], [86400, "1 d", "a day"], [30 * 86400, "30 d", "30 days"], [365 * 86400, "1 y", "a year"]];

export function makeDetail(root) {
  const [name, facts, graphs] = ["name", "facts", "graphs"].map((id) => document.getElementById(id));
  let shown = "";
  let span = 600;
  let reading = 0;
  root.querySelector(".head").append(makeChoices("span", "Time span", SPANS, span, (seconds) => {
    span = seconds;
    read();
  }));

  async function read() {
    const mine = ++reading;
    if (!find(shown)) return;
    const answer = await fetch(`/graphs?${new URLSearchParams({ component: shown, span })}`).catch(() => null);
    if (!answer?.ok || mine !== reading) return;
    const read = await answer.json();
    if (mine === reading && !graphs.matches(":hover")) drawGraphs(graphs, read);
  }

  setInterval(() => { if (!document.hidden) read(); }, READ_AGAIN_MS);
  return {
    show(component) {
      if (component !== shown) graphs.replaceChildren(element("p", { class: "hint" }, "Reading …"));
      shown = component;
      this.update();
      read();
    },
    update() {
      const one = find(shown);
      setText(name, one ? nameOf(one) : "Choose a station, chassis or blade");
      setText(facts, one ? factsOf(one) : "");
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
