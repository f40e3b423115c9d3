// The page: what is shown, and the events that keep it up to date.

import { connect } from "/shared/connection.js";
import { element, setAttribute, setText } from "/shared/element.js";
import { changingIcon } from "./icons.js";
import { makeDeletions } from "./deletions.js";
import { makeIngests } from "./ingests.js";
import { makePrograms } from "./programs.js";
import { makeUploads } from "./uploads.js";
import { count } from "./words.js";

const programs = makePrograms();
const ingests = makeIngests();
const deletions = makeDeletions();
makeUploads();
const chips = { stations: makeChip("ok"), live: makeChip("live") };

function makeChip(name) {
  const mark = changingIcon(name);
  const text = element("span");
  const root = element("li", {}, element("span", {}, mark.root, text));
  document.getElementById("chips").append(root);
  return { show(grade, said) { mark.show(grade); setAttribute(root, "data-grade", grade); setText(text, said); } };
}

function takeFleet({ stations, silent, home, home_engines }) {
  chips.stations.show(silent ? "warning" : "ok", silent ? `${silent} of ${count(stations, "station")} silent` : count(stations, "station"));
  setText(document.getElementById("about"), home ? `home station ${home}, ${count(home_engines, "engine")}` : "the home station has not registered");
  programs.fleetChanged();
}

const told = {
  fleet: takeFleet,
  ingests: ingests.take,
  deletions: deletions.take,
  catalogue: ({ programs: changed }) => programs.changed(changed),
  moved: programs.moved,
};

connect("/changes", told, {
  lost: () => {
    ingests.forget();
    deletions.forget();
    chips.live.show("critical", "lost");
  },
  found: () => chips.live.show("live", "live"),
});
