// The span of time that is looked at: back from now, or from one moment to another.

import { makeChoices } from "/shared/choices.js";
import { element, setText } from "/shared/element.js";

const SPANS = [[600, "10 min", "10 minutes"], [3600, "1 h", "an hour"], [86400, "1 d", "a day"], [30 * 86400, "30 d", "30 days"], [365 * 86400, "1 y", "a year"], ["free", "from – to", "From one moment to another"]];
const LEAST_S = 60;
const MOST_S = 366 * 86400;

// What a field of local time is filled with.
function written(seconds) {
  const at = new Date(seconds * 1000);
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export function makeSpan(changed) {
  let back = 600;
  const since = element("input", { type: "datetime-local", "aria-label": "From", change: read });
  const until = element("input", { type: "datetime-local", "aria-label": "To", change: read });
  const wrong = element("span", { class: "wrong", role: "alert" });
  const free = element("span", { class: "free" }, since, element("span", {}, "to"), until, wrong);
  free.hidden = true;
  const choices = makeChoices("span", "Time span", SPANS, back, (value) => {
    if (value === "free") {
      until.value = written(Date.now() / 1000);
      since.value = written(Date.now() / 1000 - back);
    } else {
      back = value;
    }
    free.hidden = value !== "free";
    read();
  });

  const moments = () => [since, until].map((field) => Math.round(new Date(field.value).getTime() / 1000));

  function read() {
    setText(wrong, complaint());
    if (!complaint()) changed();
  }

  function complaint() {
    if (free.hidden) return "";
    const [from, to] = moments();
    if (!Number.isFinite(to - from)) return "Give both moments.";
    return to - from < LEAST_S ? "The end must come a minute after the start, or later." : to - from > MOST_S ? "A year at most." : "";
  }

  return {
    root: element("div", { class: "span" }, choices, free),
    isLive: () => free.hidden,
    // As the server takes it.
    query() {
      if (free.hidden) return { span: back };
      const [from, to] = moments();
      return { since: from, until: to };
    },
  };
}
