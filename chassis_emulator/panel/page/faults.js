// What was injected at a blade or a chassis, and a form to inject more.

import { element, setAttribute, setText } from "/shared/element.js";

export function makeFaults(give) {
  const list = element("ul", { class: "injected-list", "aria-label": "Injected faults" });
  const all = element("button", { type: "button", class: "small" }, "Clear all");
  const kind = element("select", { "aria-label": "Fault", change: showParameters });
  const parameters = element("div", { class: "parameters" });
  const form = element("form", { class: "inject", hidden: true, submit: inject }, kind, parameters,
    element("button", { type: "submit", class: "small grave" }, "Inject"));
  const root = element("div", { class: "faults" }, element("h4", {}, "Faults"), list, form);
  let choices = [];
  let shown = [];

  all.addEventListener("click", () => give({ act: "clear", faults: shown.map((fault) => fault.fault) }));

  function showParameters() {
    const chosen = choices[kind.selectedIndex];
    parameters.replaceChildren(...(chosen?.kind.parameters ?? []).map((one) =>
      element("label", {}, `${one.text}${one.unit ? ` (${one.unit})` : ""} `,
        element("input", { type: "number", name: one.name, value: one.default, min: one.lowest, max: one.highest, step: "any", required: one.default !== null }))));
  }

  function inject(event) {
    event.preventDefault();
    const chosen = choices[kind.selectedIndex];
    const filled = [...new FormData(form)].filter(([, value]) => value !== "");
    const values = Object.fromEntries(filled.map(([name, value]) => [name, Number(value)]));
    give({ act: "inject", kind: chosen.kind.kind, target: chosen.target, parameters: values });
  }

  return {
    root,
    // `offered`: [{ kind, target, label }], those that make sense here.
    offer(offered) {
      if (JSON.stringify(offered) === JSON.stringify(choices)) return;
      choices = offered;
      kind.replaceChildren(...choices.map(({ label }) => element("option", {}, label)));
      form.hidden = !choices.length;
      showParameters();
    },
    update(faults, control) {
      setAttribute(root, "hidden", !faults.length && (!control || !choices.length));
      if (JSON.stringify(faults) === JSON.stringify(shown) && list.children.length) return;
      shown = faults;
      list.replaceChildren(...faults.map((fault) => element("li", {}, element("span", {}, fault.text),
        control ? element("button", { type: "button", class: "small", "aria-label": `Clear ${fault.text}`,
          click: () => give({ act: "clear", faults: [fault.fault] }) }, "Clear") : null)));
      if (control && faults.length > 1) list.append(element("li", {}, all));
      setText(root.firstChild, faults.length ? "Faults injected here" : "Inject a fault");
    },
  };
}
