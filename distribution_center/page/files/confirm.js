// The question before an order that cannot be taken back. The safe answer has the focus.

import { element } from "/shared/element.js";
import { icon } from "./icons.js";

let number = 0;

// Resolves to true when the person says yes.
export function ask(title, headline, sentences, no = "Cancel") {
  number += 1;
  const id = `question-${number}`;
  const stay = element("button", { type: "submit", value: "no", autofocus: true }, no);
  const dialog = element(
    "dialog",
    { class: "confirm", "aria-labelledby": id, "aria-describedby": `${id}-what ${id}-why`, "data-cuts": "true" },
    element("form", { method: "dialog" },
      element("h2", { id }, `${title}?`),
      element("p", { class: "count", id: `${id}-what` }, icon("warning"), element("strong", {}, headline)),
      element("div", { id: `${id}-why` }, ...sentences.map((sentence) => element("p", {}, sentence))),
      element("div", { class: "buttons" }, stay, element("button", { type: "submit", class: "grave", value: "yes" }, title))),
  );
  document.body.append(dialog);
  dialog.showModal();
  stay.focus();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
  });
}
