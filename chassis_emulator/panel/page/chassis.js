// One chassis from the front: its name plate, the slots, and beside them the chassis manager and the supplies.

import { element, keepList, setAttribute, setStyle, setText } from "/shared/element.js";
import { changingIcon } from "./icons.js";
import { makeSlot } from "./slot.js";
import * as words from "./words.js";

const WIDE_SLOTS = 8;

// Of all that is there, and of what should be: a blade that was pulled without a word, a manager that does not run.
export function healthsOf(chassis) {
  const healths = [...chassis.slots, ...chassis.supplies].map((part) => part.health);
  return chassis.manager.process === "running" ? healths : [...healths, "critical"];
}

export function chassisHealth(chassis) {
  const healths = healthsOf(chassis);
  return ["critical", "warning"].find((grade) => healths.includes(grade)) ?? "ok";
}

export function viewersOf(chassis) {
  return chassis.slots.reduce((sum, slot) => sum + (slot.streams ?? 0), 0);
}

function makeSupply(supply) {
  const health = changingIcon("unknown");
  const name = element("span", { class: "name" });
  const value = element("span", { class: "value" });
  const bar = element("span", { class: "bar" }, element("span", { class: "level" }));
  const said = element("span", { class: "unseen" });
  const head = element("span", { class: "head" }, health.root, name, said);
  const root = element("li", { class: "module supply" }, head, value, bar);
  return {
    root,
    update(now) {
      setAttribute(root, "data-health", now.health);
      health.show(now.health);
      setText(name, now.name.replace("-", " "));
      setText(value, now.power_w === null ? words.DASH : `${words.watts(now.power_w)} / ${words.watts(now.capacity_w)}`);
      setStyle(bar, "--share", now.power_w === null || !now.capacity_w ? 0 : (now.power_w / now.capacity_w).toFixed(3));
      setAttribute(root, "title", now.voltage_v === null ? null : words.volts(now.voltage_v));
      setText(said, `: ${words.HEALTHS[now.health]}, `);
    },
  };
}

function makeManager(chassis, open) {
  const health = changingIcon("ok");
  const value = element("span", { class: "value" });
  const root = element(
    "button",
    { type: "button", class: "module manager", "data-chassis": chassis.station, click: () => open({ chassis: chassis.station }) },
    element("span", { class: "head" }, health.root, element("span", { class: "name" }, "Manager")),
    value,
  );
  return {
    root,
    update({ station, manager }) {
      const running = manager.process === "running";
      setAttribute(root, "data-health", running ? "ok" : "critical");
      health.show(running ? "ok" : "critical");
      const epoch = manager.epoch === null ? "" : `epoch ${manager.epoch}`;
      setText(value, running ? epoch : manager.process);
      setAttribute(root, "aria-label", `Chassis manager of ${station}: ${manager.process}${epoch && `, ${epoch}`}`);
    },
  };
}

export function makeChassis(chassis, open) {
  const health = changingIcon("ok");
  const figures = element("span", { class: "figures" });
  const home = element("span", { class: "badge" }, "home station");
  const injected = element("span", { class: "badge injected" });
  const bay = element("ul", { class: "bay", "aria-label": `Slots of ${chassis.station}` });
  const supplies = element("ul", { class: "supplies", "aria-label": `Supplies of ${chassis.station}` });
  const manager = makeManager(chassis, open);
  const name = `chassis-${chassis.station}`;
  const root = element(
    "section",
    { class: "chassis", "aria-labelledby": name, "data-station": chassis.station },
    element("div", { class: "plate" }, health.root, element("h2", { id: name }, chassis.station), home, injected, figures),
    element("div", { class: "frame" }, bay, element("div", { class: "service" }, manager.root, supplies)),
  );
  const slots = new Map();
  const modules = new Map();
  let shown = null;
  return {
    root,
    update(now) {
      if (now === shown) return;
      shown = now;
      setStyle(root, "--slots", now.slots.length);
      setAttribute(root, "data-wide", now.slots.length > WIDE_SLOTS);
      setAttribute(root, "data-health", chassisHealth(now));
      health.show(chassisHealth(now));
      home.hidden = !now.home;
      injected.hidden = !now.faults.length;
      setText(injected, now.faults.map((fault) => fault.text).join(", "));
      const drawn = now.power_w === null ? "" : `${words.watts(now.power_w)}${now.budget_w ? ` of ${words.watts(now.budget_w)}` : ""}`;
      const inlet = now.inlet_c === null ? "" : `air in ${words.celsius(now.inlet_c)}`;
      setText(figures, [words.viewers(viewersOf(now)), drawn, inlet].filter(Boolean).join(" · "));
      keepList(bay, slots, now.slots, (slot) => slot.name, makeSlot);
      keepList(supplies, modules, now.supplies, (supply) => supply.name, makeSupply);
      manager.update(now);
    },
  };
}
