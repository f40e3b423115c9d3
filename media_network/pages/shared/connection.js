// Server-sent events in, pictures out; and the truth about the connection. It is held only while the page is seen.

import { applyPatch } from "./patch.js";

const AGAIN_MS = 1000;
const SILENCE_MS = 6000;

export function connect({ picture: show, log, lost, found }) {
  let source = null;
  let picture = null;
  let again = null;
  let silence = null;

  function heard() {
    clearTimeout(silence);
    silence = setTimeout(drop, SILENCE_MS);
  }

  function on(name, act) {
    source.addEventListener(name, (event) => {
      heard();
      act(JSON.parse(event.data));
    });
  }

  function open() {
    close();
    if (document.hidden) return;
    source = new EventSource("/changes");
    source.addEventListener("error", drop);
    on("picture", (whole) => {
      // A network that was started again has another token and perhaps another page.
      if (picture && picture.boot !== whole.boot) location.reload();
      found();
      show((picture = whole));
    });
    on("patch", (patch) => show((picture = applyPatch(picture, patch))));
    on("log", log);
    on("quiet", () => {});
    heard();
  }

  function close() {
    clearTimeout(again);
    clearTimeout(silence);
    source?.close();
    source = null;
  }

  function drop() {
    close();
    lost();
    again = setTimeout(open, AGAIN_MS);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  open();
}
