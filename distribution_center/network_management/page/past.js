// Alarms that are cleared, the last one first.

import { element, keepList, setText } from "/shared/element.js";
import { makeAlarmLine } from "./alarms.js";
import { count } from "./words.js";

const SHOWN_MAX = 500;

export function makePast(root, select) {
  const told = element("p", { class: "hint" });
  const list = element("ol", { class: "list" });
  const kept = new Map();
  root.append(told, list);
  return {
    root,
    show(alarms) {
      setText(told, alarms.length < SHOWN_MAX ? `${count(alarms.length, "cleared alarm")} in this span` : `The last ${SHOWN_MAX} in this span: the files have all`);
      keepList(list, kept, alarms, (alarm) => alarm.number, () => {
        const line = makeAlarmLine(select);
        return { root: element("li", { class: "alarm" }, line.root), update: line.update };
      });
    },
  };
}
