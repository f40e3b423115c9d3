// The page: what is shown, what is selected, and the events that keep it up to date.

import { connect } from "/shared/connection.js";
import { makeAlarms } from "./alarms.js";
import { makeDetail } from "./detail.js";
import { makeMap } from "./map.js";
import { find, ofKind, take } from "./network.js";
import { makeSummary } from "./summary.js";

const map = makeMap(document.getElementById("map"), select);
const alarms = makeAlarms(document.getElementById("alarms"), select);
const detail = makeDetail(document.getElementById("selected"));
const summary = makeSummary();
let selected = decodeURIComponent(location.hash.slice(1));

function select(name) {
  selected = name;
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  map.mark(selected);
  detail.show(selected);
}

function show(change, { whole }) {
  take(change, { whole });
  map.update();
  alarms.update();
  summary.update();
  if (!find(selected)) selected = ofKind("station")[0]?.component ?? "";
  map.mark(selected);
  if (whole) detail.show(selected);
  else detail.update();
}

const told = {
  network: (picture) => show(picture, { whole: true }),
  changes: (changes) => show(changes, { whole: false }),
};

connect("/events", told, {
  lost: () => summary.showConnection("critical", "lost"),
  found: () => summary.showConnection("live", "live"),
});
