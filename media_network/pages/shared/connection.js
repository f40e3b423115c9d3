// Server-sent events in, and the truth about the connection. It is held only while the page is seen.

import { setText } from "/shared/element.js";

const AGAIN_MS = 1000;
const SILENCE_MS = 6000;

// `told` has what to do with an event's JSON, by the event's name. Where the connection is lost the body says so
// (data-lost), and so does the banner (#lost); `lost()` and `found(again)` are for what else the page shows of it.
export function connect(path, told, { lost, found }) {
  const banner = document.getElementById("lost");
  let source = null;
  let live = false;
  let lostAt = null;
  let again = null;
  let silence = null;

  function open() {
    close();
    if (document.hidden) return;
    source = new EventSource(path);
    source.addEventListener("error", drop);
    for (const [name, act] of Object.entries({ quiet: () => {}, ...told })) {
      source.addEventListener(name, (event) => {
        hear();
        act(JSON.parse(event.data));
      });
    }
    waitInSilence();
  }

  function close() {
    clearTimeout(again);
    clearTimeout(silence);
    source?.close();
    source = null;
  }

  function waitInSilence() {
    clearTimeout(silence);
    silence = setTimeout(drop, SILENCE_MS);
  }

  function hear() {
    waitInSilence();
    if (live) return;
    live = true;
    delete document.body.dataset.lost;
    banner.hidden = true;
    found(lostAt !== null);
    lostAt = null;
  }

  function drop() {
    close();
    live = false;
    lostAt ??= new Date();
    document.body.dataset.lost = "";
    banner.hidden = false;
    setText(banner, `Connection lost at ${lostAt.toLocaleTimeString("en-GB")}. What is shown is from then; trying again …`);
    lost();
    again = setTimeout(open, AGAIN_MS);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  open();
}
