// The end of what a process printed, looked up again as long as it is open and to be seen.

import { element, setText } from "/shared/element.js";

const LOOK_AGAIN_MS = 1500;
const NEAR_END_PX = 24;

export function makeConsole() {
  const output = element("pre", { class: "console", tabindex: "0", role: "log", "aria-live": "off" });
  let name = null;
  let timer = null;

  async function look() {
    clearTimeout(timer);
    if (name === null) return;
    const asked = name;
    if (!document.hidden) {
      try {
        const response = await fetch(`/console?${new URLSearchParams({ name, lines: 200 })}`);
        const answer = await response.json();
        if (asked === name) show(response.ok ? answer.lines.join("\n") || "Nothing was printed yet." : answer.detail);
      } catch {
        // The connection is lost: the page says so, and what was printed stays to be read.
      }
    }
    if (asked === name) timer = setTimeout(look, LOOK_AGAIN_MS);
  }

  function show(text) {
    const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < NEAR_END_PX;
    setText(output, text);
    if (atEnd) output.scrollTop = output.scrollHeight;
  }

  return {
    root: output,
    watch(process) {
      if (process === name) return;
      name = process;
      setText(output, "");
      output.setAttribute("aria-label", `Console of ${process}`);
      if (name === null) clearTimeout(timer);
      else look();
    },
  };
}
