// The page: which of its two views is shown, by what stands behind the address's number sign, and its keys.

import { makeTitles } from "./titles.js";
import { makeWatch } from "./watch.js";

const STATION = document.querySelector('meta[name="station"]').content;
const list = document.getElementById("list");
const search = document.getElementById("search");
const titles = makeTitles(document.getElementById("titles"), search);
const watch = makeWatch(document.getElementById("watch"));
const missing = document.getElementById("missing");

if (!document.querySelector('meta[name="player"]').content) {
  missing.textContent =
    "hls.js is not installed here: “make player” gets it, with npm. Until then the browser’s own player is used, if it has one, and nothing can be told of engines.";
  missing.hidden = false;
}

const wanted = () => /^#\/watch\/([a-z0-9-]{1,64})$/.exec(location.hash)?.[1] ?? null;

async function show() {
  const program = wanted();
  list.hidden = program !== null;
  if (program === null) {
    const before = watch.close();
    document.title = `Watch – ${STATION}`;
    await titles.show();
    if (before) titles.focus(before);
    return;
  }
  const title = await titles.find(program);
  if (wanted() !== program) return;
  document.title = `${title.title} – ${STATION}`;
  watch.open(title);
}

const goHome = () => { location.hash = "#/"; };

document.getElementById("searching").addEventListener("submit", (event) => {
  event.preventDefault();
  goHome();
});
search.addEventListener("input", () => { if (wanted() !== null) goHome(); });

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches?.("input, textarea, select")) {
    if (event.key === "Escape") {
      event.preventDefault(); // a browser would empty the search
      event.target.blur();
    }
    return;
  }
  if (event.key === "/") search.focus();
  else if (wanted() === null) {
    if (!titles.key(event)) return;
  } else if (event.key === "Escape") {
    if (document.fullscreenElement) return;
    goHome();
  } else if (!watch.key(event)) return;
  event.preventDefault();
});
addEventListener("hashchange", show);
show();
