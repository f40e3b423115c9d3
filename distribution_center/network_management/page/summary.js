// What is at the top: how large the network is, what is wrong with it, and whether this is live.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { howMany, isEmpty, theAlarms, theTotals } from "./network.js";
import { SEVERITIES, SHAPES, changingIcon } from "./severity.js";
import { BPS, count, quantity } from "./words.js";

const GRADES = { red: "critical", orange: "critical", yellow: "warning" };

export function makeSummary() {
  const about = document.getElementById("about-network");
  const list = document.getElementById("counts");
  const liveIcon = changingIcon("unknown");
  const liveText = element("span", {}, "connecting");
  const live = element("span", {}, element("span", {}, liveIcon.root, liveText));
  document.getElementById("connection").append(live);
  const chips = new Map();

  function makeChip() {
    const mark = changingIcon("ok");
    const text = element("span");
    const root = element("li", {}, element("a", { href: "#alarms" }, mark.root, text));
    return {
      root,
      update([said, grade, shape]) {
        setAttribute(root, "data-grade", grade);
        mark.show(shape);
        setText(text, said);
      },
    };
  }

  function chipsNow() {
    const shown = [];
    for (const [severity, colour] of Object.entries(SEVERITIES)) {
      const present = howMany(severity);
      if (present) shown.push([`${present} ${severity}`, GRADES[colour], SHAPES[severity]]);
    }
    const { silent } = theTotals();
    if (silent) shown.push([`${silent} silent`, "unknown", "unknown"]);
    return shown.length ? shown : [["All healthy", "ok", "ok"]];
  }

  return {
    update() {
      const { stations, blades, streams, sent_bps: sent } = theTotals();
      const size = [count(stations, "station"), count(blades, "blade"), count(streams, "stream")];
      setText(about, [...size, `${quantity(sent, BPS)} sent`].join(" · "));
      keepList(list, chips, isEmpty() ? [] : chipsNow(), ([said]) => said.replace(/\d+ /, ""), makeChip);
      const urgent = theAlarms().filter((alarm) => alarm.state === "active").length;
      document.title = urgent ? `(${urgent}) Media network` : "Media network";
    },
    showConnection(icon, said) {
      liveIcon.show(icon);
      setAttribute(live, "data-grade", icon);
      setText(liveText, said);
    },
  };
}
