// The player's view: a program, its keys, and what is wrong if something is.

import { setText } from "/shared/element.js";
import { makeSources } from "./sources.js";
import { play } from "./player.js";
import { length } from "./words.js";

const STEP_S = 10;

export function makeWatch(view) {
  const video = document.getElementById("video");
  const name = document.getElementById("watch-name");
  const about = document.getElementById("about");
  const trouble = document.getElementById("trouble");
  const asking = document.getElementById("asking");
  const token = document.getElementById("token");
  const sources = makeSources();
  let playing = null;
  let title = null;

  asking.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });

  video.addEventListener("timeupdate", () => sources.showing(video.currentTime));

  const told = {
    segment: sources.take,
    well() {
      trouble.hidden = true;
    },
    wrong(sentence, { tokenWanted = false } = {}) {
      setText(trouble, sentence);
      trouble.hidden = tokenWanted && !token.value;
      if (tokenWanted) {
        asking.hidden = false;
        token.focus();
      }
    },
  };

  function begin() {
    playing?.stop();
    asking.hidden = true;
    trouble.hidden = true;
    sources.begin();
    playing = play(video, title.program, token.value.trim(), told);
  }

  return {
    open(wanted) {
      title = wanted;
      view.hidden = false;
      setText(name, title.title);
      setText(about, [title.duration_ms ? length(title.duration_ms) : null, title.program].filter(Boolean).join(" · "));
      begin();
      name.focus();
      scrollTo(0, 0);
    },
    // Gives what was open.
    close() {
      playing?.stop();
      playing = null;
      view.hidden = true;
      const before = title?.program ?? null;
      title = null;
      return before;
    },
    key({ key, target }) {
      if (target.matches?.("a, button") && [" ", "Enter"].includes(key)) return false;
      const keys = {
        " ": () => (video.paused ? video.play() : video.pause()),
        ArrowLeft: () => { video.currentTime = Math.max(0, video.currentTime - STEP_S); },
        ArrowRight: () => { video.currentTime = Math.min(video.duration || 0, video.currentTime + STEP_S); },
        f: () => (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen?.()),
        m: () => { video.muted = !video.muted; },
      };
      const act = keys[key.length === 1 ? key.toLowerCase() : key];
      act?.()?.catch?.(() => {});
      return act !== undefined;
    },
  };
}
