// A program in the list. What is known of it more closely is asked for when it is opened.

import { element, setAttribute, setText } from "/shared/element.js";
import { makeBars } from "./bars.js";
import { makeDetail } from "./detail.js";
import { icon } from "./icons.js";
import * as words from "./words.js";

// `toggle(program)` opens or closes.
export function makeRow({ toggle }) {
  const picture = element("span", { class: "picture" }, icon("film"));
  const title = element("b", { class: "name" });
  const mark = icon("open");
  const head = element("button", { type: "button", class: "title-line" }, title, mark);
  const name = element("code");
  const facts = element("span");
  const state = element("span", { class: "badge" });
  const when = element("span", { class: "when" });
  const trouble = element("span", { class: "trouble" }, icon("warning"), element("span"));
  const bars = makeBars();
  const root = element("li", { class: "program" },
    element("div", { class: "line" },
      picture,
      element("div", { class: "what" },
        head,
        element("p", { class: "facts hint" }, name, facts),
        element("p", { class: "service" }, state, when),
        trouble),
      bars.root));
  let detail = null;
  let row = null;
  let shownPicture = null;
  head.addEventListener("click", () => toggle(row.program));

  function showPicture(sha256) {
    if (sha256 === shownPicture) return;
    shownPicture = sha256;
    const drawn = sha256 ? element("img", { src: `/pictures/${sha256}`, alt: "", loading: "lazy", error: () => picture.replaceChildren(icon("film")) }) : icon("film");
    picture.replaceChildren(drawn);
  }

  function update(now) {
    row = now;
    root.dataset.program = row.program;
    showPicture(row.picture);
    setText(title, row.title || row.program);
    setText(name, row.program);
    setText(facts, [words.length(row.duration_ms), row.rate_bps && words.rate(row.rate_bps), words.bytes(row.bytes)].filter(Boolean).join(" · "));
    setText(state, words.STATES[row.state] ?? row.state);
    setAttribute(state, "data-state", row.state);
    setText(when, words.service(row));
    const obstacles = Object.values(row.obstacles);
    const said = obstacles.length ? obstacles[0] + (obstacles.length > 1 ? ` (and ${obstacles.length - 1} more)` : "") : row.warnings.length ? words.count(row.warnings.length, "warning") : "";
    trouble.hidden = !said;
    setAttribute(trouble, "data-grade", obstacles.length ? "critical" : "warning");
    setText(trouble.lastChild, said);
    bars.update(row);
    detail?.update(row);
  }

  function setOpen(open) {
    setAttribute(head, "aria-expanded", String(open));
    setAttribute(root, "data-open", open);
    if (open && !detail) {
      detail = makeDetail();
      root.append(detail.root);
      detail.update(row);
    } else if (!open && detail) {
      detail.root.remove();
      detail = null;
    }
  }

  return { root, update, setOpen, head, fleetChanged: () => detail?.fleetChanged(), get row() { return row; } };
}
