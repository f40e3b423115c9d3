// What is opened: a blade, a chassis, or the center, with its facts, its orders, its faults and its console.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { actionsOf } from "./actions.js";
import { findSlot } from "./consequences.js";
import { makeConsole } from "./console.js";
import { makeFaults } from "./faults.js";
import { changingIcon, icon } from "./icons.js";
import { lightWords } from "./light.js";
import { CONTROL } from "./orders.js";
import * as words from "./words.js";

// As one word for comparisons and for the place the focus returns to.
export function keyOf(opened) {
  return opened ? (opened.blade ?? opened.chassis ?? "center") : null;
}

function lightsWords(lights) {
  const said = Object.entries(lights).filter(([, light]) => light).map(([name, light]) => `${name} ${lightWords(light)}`);
  return said.join(", ") || words.DASH;
}

function ofBlade(name, picture, kinds) {
  const found = findSlot(picture, name);
  if (!found) return null;
  const { slot } = found;
  const facts = slot.present
    ? [
        ["State", slot.waits_for ? `${words.doing(slot)}: ${slot.waits_for}` : words.doing(slot)],
        ["Health", slot.health_text ? `${words.HEALTHS[slot.health]}: ${slot.health_text}` : words.HEALTHS[slot.health]],
        ["Role", words.ROLES[slot.role] ?? words.DASH],
        ["Handle", words.plain(slot.handle)],
        ["Temperature", slot.temperature_critical_c === null ? words.celsius(slot.temperature_c)
          : `${words.celsius(slot.temperature_c)} (critical from ${words.celsius(slot.temperature_critical_c)})`],
        ["Fan", `${words.rpm(slot.fan_rpm)}, driven at ${words.percent(slot.fan_duty)}`],
        ["Power", `${words.watts(slot.power_w)}, granted ${words.watts(slot.power_granted_w)}`],
        ["Streams", `${words.count(slot.streams)}, ${words.rate(slot.sent_bps)}`],
        ["I/O channels", slot.channels.length ? words.channels(slot.channels) : words.DASH],
        ["Lights", lightsWords(slot.lights)],
        ["Address", words.plain(slot.address)],
        ["Service port", words.plain(slot.serial)],
      ]
    : [["State", slot.health_text || "empty: no blade in this slot"], ["Fan", words.rpm(slot.fan_rpm)]];
  return {
    title: name,
    health: slot.health,
    facts,
    actions: actionsOf(slot),
    faults: slot.faults,
    offered: slot.present ? kinds.filter((kind) => kind.target === "blade").map((kind) => ({ kind, target: name, label: kind.text })) : [],
    console: name,
  };
}

function ofChassis(station, picture, kinds) {
  const chassis = picture.stations.find((one) => one.station === station);
  if (!chassis) return null;
  const { manager } = chassis;
  const offered = kinds.filter((kind) => kind.target === "chassis").map((kind) => ({ kind, target: station, label: kind.text }));
  for (const kind of kinds.filter((one) => one.target === "supply")) {
    offered.push(...chassis.supplies.map(({ name }) => ({ kind, target: `${station}/${name}`, label: `${kind.text}: ${name}` })));
  }
  return {
    title: `${station}, chassis manager`,
    health: manager.process === "running" ? "ok" : "critical",
    facts: [
      ["State", manager.process],
      ["Director", manager.director === null ? words.DASH : `slot ${manager.director}`],
      ["Epoch", words.plain(manager.epoch)],
      ["IPMI", words.plain(manager.ipmi)],
      ["Power", `${words.watts(chassis.power_w)} of ${words.watts(chassis.budget_w)}`],
      ["Air in", words.celsius(chassis.inlet_c)],
    ],
    actions: [],
    faults: [...chassis.faults, ...chassis.supplies.flatMap((supply) => supply.faults)],
    offered,
    console: manager.name,
  };
}

function ofCenter(picture) {
  const { center, other_centers: others } = picture;
  const facts = others.length
    ? [center, ...others].map((one) => [one.name, `${one.process}, ${one.address}`])
    : [["Name", center.name], ["State", center.process], ["Address", center.address]];
  return {
    title: others.length ? "Distribution centers" : "Distribution center",
    health: [center, ...others].every((one) => one.process === "running") ? "ok" : "critical",
    facts,
    actions: [],
    faults: [],
    offered: [],
    console: center.name,
  };
}

function look(opened, picture, kinds) {
  if (opened.blade) return ofBlade(opened.blade, picture, kinds);
  return opened.chassis ? ofChassis(opened.chassis, picture, kinds) : ofCenter(picture);
}

function makeFact([name]) {
  const value = element("dd");
  return { root: element("div", {}, element("dt", {}, name), value), update: (fact) => setText(value, fact[1]) };
}

export function makeDetail(root, { give, close }) {
  const health = changingIcon("unknown");
  const name = element("h3", { id: "detail-name", tabindex: "-1" });
  const facts = element("dl", { class: "facts" });
  const buttons = element("div", { class: "actions", role: "group", "aria-label": "Orders" });
  const faults = makeFaults(give);
  const output = makeConsole();
  const readOnly = element("p", { class: "read-only" }, icon("lock"),
    element("span", {}, "Read-only. Start the network with ", element("code", {}, "--control"), " to give orders here."));
  root.append(
    element("div", { class: "head" }, health.root, name,
      element("button", { type: "button", class: "close", "aria-label": "Close", click: close }, icon("close"))),
    element("div", { class: "parts" }, facts,
      element("div", { class: "orders" }, CONTROL ? buttons : readOnly, faults.root),
      element("div", { class: "output" }, element("h4", {}, "Console"), output.root)),
  );
  const keptFacts = new Map();
  const keptButtons = new Map();

  function makeButton(action) {
    let now = action;
    const button = element("button", { type: "button", class: action.grave ? "grave" : null, title: action.hint ?? null,
      click: () => give(now.order) }, icon(action.icon), action.label);
    return { root: button, update: (other) => { now = other; } };
  }

  return {
    update(opened, picture, kinds) {
      const shown = opened && look(opened, picture, kinds);
      setAttribute(root, "hidden", !shown);
      output.watch(shown ? shown.console : null);
      if (!shown) return;
      health.show(shown.health);
      setAttribute(root, "data-health", shown.health);
      setText(name, shown.title);
      keepList(facts, keptFacts, shown.facts, (fact) => fact[0], makeFact);
      keepList(buttons, keptButtons, CONTROL ? shown.actions : [], (action) => `${opened.blade} ${action.label}`, makeButton);
      faults.offer(CONTROL ? shown.offered : []);
      faults.update(shown.faults, CONTROL);
    },
    focus: () => name.focus(),
  };
}
