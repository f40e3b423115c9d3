// One of a few, side by side.

import { element } from "/shared/element.js";

// `options`: [value, what is shown, what is meant]; `choose(value)` is called when a person has chosen.
export function makeChoices(name, label, options, chosen, choose) {
  return element("div", { class: "choices", role: "radiogroup", "aria-label": label },
    ...options.map(([value, shown, meant]) => element("label", { title: meant },
      element("input", { type: "radio", name, value, checked: value === chosen, "aria-label": meant, change: () => choose(value) }),
      element("span", { "aria-hidden": "true" }, shown))));
}
