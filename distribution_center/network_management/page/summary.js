// What is at the top: how large the network is, what is wrong with it, and whether this is live.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { STATES, drawIcons } from "/shared/icons.js";
import { SEVERITIES } from "./alarms.js";
import { everything, ofKind, theAlarms } from "./network.js";
import { BPS, count, quantity } from "./words.js";

const GRADES = { red: "critical", orange: "critical", yellow: "warning" };
const { changingIcon } = drawIcons(STATES);

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
    const root = element("li", {}, element("span", {}, mark.root, text));
    return {
      root,
      update([said, grade]) {
        setAttribute(root, "data-grade", grade);
        mark.show(grade);
        setText(text, said);
      },
    };
  }

  function chipsNow() {
    const shown = [];
    for (const [severity, colour] of Object.entries(SEVERITIES)) {
      const present = theAlarms().filter((alarm) => alarm.severity === severity && alarm.state !== "cleared").length;
      if (present) shown.push([`${present} ${severity}`, GRADES[colour]]);
    }
    const silent = everything().filter((each) => each.agent && each.health === "silent").length;
    if (silent) shown.push([`${silent} silent`, "unknown"]);
    return shown.length ? shown : [["All healthy", "ok"]];
  }

  return {
    update() {
      const blades = ofKind("blade");
      const streams = blades.reduce((sum, each) => sum + (each.last.streams ?? 0), 0);
      const sent = blades.reduce((sum, each) => sum + (each.last.sent_bps ?? 0), 0);
      const size = [count(ofKind("station").length, "station"), count(blades.length, "blade"), count(streams, "stream")];
      setText(about, [...size, `${quantity(sent, BPS)} sent`].join(" · "));
      keepList(list, chips, everything().length ? chipsNow() : [], ([said]) => said.replace(/\d+ /, ""), makeChip);
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
