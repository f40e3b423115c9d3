// The question before an order that cuts viewers off. The number is live, and the safe answer has the focus.

import { element, setText } from "/shared/element.js";
import { icon } from "./icons.js";
import { headline } from "./consequences.js";

let asking = null;

// Resolves to true when the person says yes. `look()` gives the consequence as it is at the moment.
export function ask(title, look) {
  const count = element("strong");
  const reasons = element("div", { id: "confirm-why" });
  const go = element("button", { type: "submit", class: "grave", value: "yes" }, title);
  const stay = element("button", { type: "submit", value: "no", autofocus: true }, "Cancel");
  const dialog = element(
    "dialog",
    { class: "confirm", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-count confirm-why" },
    element("form", { method: "dialog" },
      element("h2", { id: "confirm-title" }, `${title}?`),
      element("p", { class: "count", id: "confirm-count" }, icon("warning"), count),
      reasons,
      element("div", { class: "buttons" }, stay, go)),
  );
  asking = () => {
    const now = look();
    setText(count, headline(now));
    dialog.dataset.cuts = String(now.viewers !== 0);
    if (reasons.textContent !== now.sentences.join("")) {
      reasons.replaceChildren(...now.sentences.map((sentence) => element("p", {}, sentence)));
    }
  };
  asking();
  document.body.append(dialog);
  dialog.showModal();
  stay.focus();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => {
      asking = null;
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
  });
}

export function refreshQuestion() {
  asking?.();
}
