// The page: what is shown, what is selected, and the events that keep it up to date.

import { connect } from "/shared/connection.js";
import { makeAlarms } from "./alarms.js";
import { makeDetail } from "./detail.js";
import { makeMap } from "./map.js";
import { find, take } from "./network.js";
import { makeSummary } from "./summary.js";

const map = makeMap(document.getElementById("map"), select);
const alarms = makeAlarms(document.getElementById("alarms"), select);
const detail = makeDetail(document.getElementById("selected"), select);
const summary = makeSummary();
let selected = decodeURIComponent(location.hash.slice(1));

function select(name) {
  selected = name;
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  map.mark(selected);
  detail.show(selected);
}

function show(change, { whole }) {
  const changed = take(change, { whole });
  map.update(changed.components);
  alarms.update(changed.alarms);
  summary.update();
  const isNew = !find(selected);
  if (isNew) selected = map.first();
  if (whole || isNew) {
    map.mark(selected);
    detail.show(selected);
  } else if (changed.components.has(selected) || changed.components.has(find(selected).parent)) {
    detail.update();
  }
}

document.getElementById("cleared").addEventListener("click", () => detail.showAllPast());

const panel = document.querySelector("meta[name=panel]").content;
if (panel) {
  const link = document.getElementById("panel");
  link.href = panel;
  link.hidden = false;
}

const told = {
  network: (picture) => show(picture, { whole: true }),
  changes: (changes) => show(changes, { whole: false }),
};

connect("/events", told, {
  lost: () => summary.showConnection("critical", "lost"),
  found: () => summary.showConnection("live", "live"),
});
