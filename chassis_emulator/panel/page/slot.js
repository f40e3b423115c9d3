// One slot, drawn from the front: the blade with its handles, or the empty bay, and the fan behind it.

import { element, keepList, setAttribute, setStyle, setText } from "/shared/element.js";
import { changingIcon, fanDrawing, icon } from "./icons.js";
import { lightWords, makeLight } from "./light.js";
import * as words from "./words.js";

const LIGHTS = ["blue", "fault", "activity", "identify"];
const LIGHT_WORDS = { blue: "blue light", fault: "fault light", activity: "activity light", identify: "identify light" };
const COLDEST_C = 15;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export function slotLabel(slot) {
  const name = `Slot ${slot.slot}`;
  if (!slot.present) return `${name}: ${slot.health_text || "empty"}`;
  const parts = [(words.ROLES[slot.role] ?? "role unknown").toLowerCase(), words.doing(slot)];
  parts.push(slot.health_text ? `${words.HEALTHS[slot.health]}, ${slot.health_text}` : words.HEALTHS[slot.health]);
  if (slot.handle === "open") parts.push("handle open");
  if (slot.faults.length) parts.push(`${slot.faults.length} injected`);
  return `${name}: ${parts.join(", ")}`;
}

export function slotDescription(slot) {
  const said = (name, value) => (value === words.DASH ? `${name} unknown` : `${name} ${value}`);
  const fan = said("fan", words.rpm(slot.fan_rpm));
  if (!slot.present) return fan;
  const figures = [
    said("streams", words.count(slot.streams)),
    said("temperature", words.celsius(slot.temperature_c)),
    fan,
    said("power", words.watts(slot.power_w)),
  ];
  const shining = LIGHTS.filter((name) => slot.lights[name]?.on_ms).map(
    (name) => `${LIGHT_WORDS[name]} ${lightWords(slot.lights[name])}`,
  );
  const channels = slot.channels.some((one) => one.state !== "working") ? [words.channels(slot.channels)] : [];
  return [...figures, ...channels, ...shining].join(", ");
}

function makeMeter(name, iconName) {
  const value = element("span", { class: "value" });
  const bar = element("span", { class: "bar" }, element("span", { class: "level" }));
  const root = element("span", { class: `meter ${name}` }, iconName ? icon(iconName) : null, value, bar);
  return {
    root,
    update(text, share, grade = null, mark = null) {
      setText(value, text);
      setStyle(bar, "--share", share === null ? 0 : Math.min(Math.max(share, 0), 1).toFixed(3));
      setAttribute(bar, "data-grade", grade);
      setStyle(bar, "--mark", mark === null ? -1 : mark.toFixed(3));
    },
  };
}

// A disk each, as its own light would show it.
function makeChannel(channel) {
  const root = element("span", { class: "channel" });
  return {
    root,
    update(now) {
      setAttribute(root, "data-state", now.state);
      setAttribute(root, "title", words.channels([now]));
    },
  };
}

function temperatureGrade(slot) {
  if (slot.temperature_c === null) return null;
  if (slot.temperature_critical_c !== null && slot.temperature_c >= slot.temperature_critical_c) return "critical";
  return slot.temperature_warning_c !== null && slot.temperature_c >= slot.temperature_warning_c ? "warning" : "ok";
}

function makeFan() {
  const rotor = fanDrawing();
  const value = element("span", { class: "value" });
  const bar = element("span", { class: "bar" }, element("span", { class: "level" }));
  const root = element("span", { class: "fan", "aria-hidden": "true" }, rotor, value, bar);
  let turning = null;

  // Far slower than it turns, so that the eye can tell a slow fan from a fast one.
  function turn(rate) {
    turning ??= rotor.animate([{ transform: "rotate(0turn)" }, { transform: "rotate(1turn)" }], { duration: 60_000, iterations: Infinity });
    turning.updatePlaybackRate(rate);
  }

  return {
    root,
    update(slot) {
      setText(value, words.rpm(slot.fan_rpm));
      setStyle(bar, "--share", (slot.fan_duty ?? 0).toFixed(3));
      setAttribute(root, "data-stands", slot.fan_rpm !== null && slot.fan_rpm < 50);
      if (turning || !STILL.matches) turn(STILL.matches ? 0 : (slot.fan_rpm ?? 0) / 60);
    },
  };
}

export function makeSlot(slot) {
  const id = `about-${slot.name.replace("/", "-")}`;
  const number = element("span", { class: "number" });
  const role = element("span", { class: "role" }, icon("star"), element("span", { class: "word" }));
  const lights = LIGHTS.map(makeLight);
  const streams = element("span", { class: "count" });
  const streamsWord = element("span", { class: "unit" });
  const temperature = makeMeter("temperature", "temperature");
  const power = makeMeter("power", "power");
  const health = changingIcon("unknown");
  const state = element("span", { class: "word" });
  const injected = element("span", { class: "injected" });
  const channels = element("span", { class: "channels" });
  const keptChannels = new Map();
  const nothing = element("span", { class: "nothing" });
  const blade = element(
    "button",
    { type: "button", class: "blade", tabindex: "-1", "data-blade": slot.name, "aria-describedby": id },
    element("span", { class: "handle upper" }),
    role,
    element("span", { class: "plate" }, number, element("span", { class: "lights" }, ...lights.map((l) => l.root))),
    element("span", { class: "vent" }, element("span", { class: "streams" }, streams, streamsWord), injected),
    temperature.root,
    power.root,
    channels,
    element("span", { class: "state" }, health.root, state),
    element("span", { class: "handle lower" }),
    nothing,
  );
  const description = element("span", { class: "unseen", id });
  const fan = makeFan();
  const root = element("li", { class: "slot" }, blade, fan.root, description);
  let shown = null;
  return {
    root,
    update(now) {
      if (now === shown) return;
      shown = now;
      setText(number, String(now.slot));
      setAttribute(blade, "aria-label", slotLabel(now));
      setText(description, slotDescription(now));
      setAttribute(root, "data-present", now.present);
      setAttribute(root, "data-role", now.role);
      setAttribute(root, "data-health", now.present || now.health !== "unknown" ? now.health : null);
      setText(nothing, words.doing(now));
      setAttribute(root, "data-handle", now.handle);
      setAttribute(root, "data-dark", now.present && (!now.powered || now.process === "crashed" || now.process === "stopped"));
      setText(role.lastChild, words.ROLES[now.role] ?? "Unknown");
      LIGHTS.forEach((name, index) => lights[index].update(now.lights[name]));
      setText(streams, words.count(now.streams));
      setText(streamsWord, words.streams(now.streams));
      setText(injected, now.faults.length ? `${now.faults.length} injected` : "");
      const hottest = (now.temperature_critical_c ?? 85) * 1.1;
      const share = (c) => (c === null ? null : (c - COLDEST_C) / (hottest - COLDEST_C));
      temperature.update(
        words.celsius(now.temperature_c), share(now.temperature_c), temperatureGrade(now), share(now.temperature_critical_c),
      );
      power.update(words.watts(now.power_w), now.power_w === null ? null : now.power_w / (now.power_granted_w || 20));
      keepList(channels, keptChannels, now.channels, (channel) => channel.name, makeChannel);
      health.show(now.health);
      setText(state, words.doing(now));
      fan.update(now);
    },
  };
}
