// The event log: the newest on top, filtered by severity.

import { makeChoices } from "/shared/choices.js";
import { element, setAttribute, setText } from "/shared/element.js";
import { alarm } from "/shared/notices.js";
import { icon } from "./icons.js";
import { clock, isoTime } from "./words.js";

const KEPT = 500;
const GRADES = ["info", "warning", "critical"];
const SHOWN = [["info", "All", "All"], ["warning", "Warning", "Warnings and worse"], ["critical", "Critical", "Critical"]];

export function makeLog(root, openBlade) {
  const list = element("ol", { class: "events", role: "log", "aria-live": "off", "aria-label": "Events", tabindex: "0" });
  const nothing = element("p", { class: "nothing" }, "No event yet.");
  const choices = makeChoices("grade", "Show events", SHOWN, "info", choose);
  root.append(element("div", { class: "head" }, element("h2", { id: "log-name" }, "Event log"), choices), nothing, list);
  // One stop of Tab: within it the arrow keys go from place to place.
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const places = step ? [...list.querySelectorAll("button.place")].filter((place) => place.checkVisibility()) : [];
    const at = places.indexOf(document.activeElement);
    const next = at < 0 ? places[step > 0 ? 0 : -1] : places[at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  let last = 0;
  let first = true;

  function choose(grade) {
    setAttribute(list, "data-from", grade);
    showNothing();
  }

  function showNothing() {
    const from = GRADES.indexOf(list.dataset.from ?? "info");
    const some = [...list.children].some((line) => GRADES.indexOf(line.dataset.severity) >= from);
    nothing.hidden = some;
    setText(nothing, list.children.length ? "No event of this severity." : "No event yet.");
  }

  function line(event) {
    const place = event.station && (event.slot ? `${event.station}/${event.slot}` : event.station);
    const where = place && element(event.slot ? "button" : "span",
      event.slot ? { type: "button", class: "place", tabindex: "-1", click: () => openBlade(place) } : { class: "place" }, place);
    return element("li", { "data-severity": event.severity },
      element("span", { class: "mark" }, icon(event.severity), element("span", { class: "unseen" }, `${event.severity}: `)),
      element("time", { datetime: isoTime(event.time_s) }, clock(event.time_s)),
      element("span", { class: "what" }, where || null, where ? " " : null, event.text));
  }

  return {
    add(events) {
      const fresh = events.filter((event) => event.id > last);
      for (const event of fresh) {
        list.prepend(line(event));
        last = event.id;
        const place = event.station ? `${event.station}${event.slot ? `/${event.slot}` : ""}: ` : "";
        if (!first && event.severity !== "info") alarm(`${event.severity}: ${place}${event.text}`);
      }
      while (list.children.length > KEPT) list.lastChild.remove();
      first = false;
      if (fresh.length) showNothing();
    },
  };
}
