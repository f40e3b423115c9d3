// A front light. Lights that blink alike blink together; nothing flashes more than three times a second, and with
// reduced motion a blinking light stands still in a ring.

import { element, setAttribute } from "/shared/element.js";

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const SHORTEST_PERIOD_MS = 340;

export function lightWords(light) {
  if (!light) return null;
  if (!light.on_ms) return "off";
  return light.off_ms ? "blinking" : "on";
}

export function makeLight(name) {
  const lamp = element("span", { class: "lamp" });
  const root = element("span", { class: "light", "data-light": name }, lamp);
  let shown = null;
  let blinking = null;

  function blink(light) {
    blinking?.cancel();
    blinking = null;
    if (lightWords(light) !== "blinking" || STILL.matches) return;
    const period = light.on_ms + light.off_ms;
    const on = light.on_ms / period;
    blinking = lamp.animate(
      [{ opacity: 1 }, { opacity: 1, offset: on }, { opacity: 0, offset: on }, { opacity: 0 }],
      { duration: Math.max(period, SHORTEST_PERIOD_MS), iterations: Infinity },
    );
    blinking.startTime = 0;
  }

  STILL.addEventListener("change", () => shown && blink(shown));
  return {
    root,
    update(light) {
      const same = JSON.stringify(light) === JSON.stringify(shown);
      if (same && root.dataset.state) return;
      shown = light;
      setAttribute(root, "data-state", lightWords(light) ?? "none");
      setAttribute(root, "data-color", light?.color ?? null);
      blink(light);
    },
  };
}
