// What an order does to viewers, as the picture has it at this moment.

import { viewersOf } from "./chassis.js";
import { viewers } from "./words.js";

const NONE = { asks: false, viewers: 0, sentences: [] };

export function findSlot(picture, name) {
  for (const chassis of picture.stations) {
    const slot = chassis.slots.find((one) => one.name === name);
    if (slot) return { chassis, slot };
  }
  return null;
}

const serves = (slot) => slot.present && slot.hot_swap === "M4" && slot.main_board === "ready" && slot.process === "running";

function others(chassis, slot) {
  return chassis.slots.filter((one) => one !== slot && serves(one));
}

// { asks, viewers, sentences }: whether a person is asked first, how many viewers are cut off (null: unknown), and why.
export function consequence(order, picture, kinds) {
  if (order.act === "inject") return ofFault(order, picture, kinds.find((kind) => kind.kind === order.kind));
  const found = order.blade && findSlot(picture, order.blade);
  if (!found || !found.slot.present) return NONE;
  if (order.act === "pull" && !order.surprise) return ofLeaving(found);
  if (order.act === "pull" || order.act === "reset" || (order.act === "power" && order.order !== "on")) return ofLoss(found);
  return NONE;
}

// The blade drains first: that cuts nobody off where another engine can take what it sends.
function ofLeaving({ chassis, slot }) {
  const left = others(chassis, slot);
  if (left.some((one) => one.role === "engine" || slot.role !== "director")) {
    if (slot.role !== "director" && !left.some((one) => one.role === "engine")) return nobodyElse(chassis, slot);
    return NONE;
  }
  return nobodyElse(chassis, slot);
}

function nobodyElse(chassis, slot) {
  const cut = slot.role === "director" ? viewersOf(chassis) : slot.streams;
  const sentence = slot.role === "director"
    ? `${slot.name} is the director, and no other blade of ${chassis.station} can become it: nobody is served any more.`
    : `No other engine of ${chassis.station} is in service, so what ${slot.name} sends cannot be handed over.`;
  return { asks: true, viewers: cut, sentences: [sentence] };
}

function ofLoss({ chassis, slot }) {
  const sentences = [];
  if (slot.role === "director") {
    sentences.push(`${slot.name} is the director: until another blade is appointed, ${chassis.station} takes no new viewer.`);
  }
  if (slot.streams === null) sentences.push(`How many viewers ${slot.name} serves is not known.`);
  else if (slot.streams === 0) sentences.push(`${slot.name} sends to no viewer right now.`);
  else if (others(chassis, slot).some((one) => one.role === "engine")) {
    sentences.push("They are cut off until another engine takes over; what was on its way to them is lost.");
  } else sentences.push(`They are cut off for good: no other engine of ${chassis.station} is in service.`);
  return { asks: true, viewers: slot.streams, sentences };
}

function ofFault(order, picture, kind) {
  const [station, part] = order.target.split("/");
  const chassis = picture.stations.find((one) => one.station === station);
  if (!kind || !chassis) return NONE;
  if (kind.target === "blade") {
    const found = kind.cuts_viewers_off && findSlot(picture, order.target);
    return found && found.slot.present ? ofLoss(found) : NONE;
  }
  const lacking = kind.target === "supply" && lacks(chassis, part);
  if (!kind.cuts_viewers_off && !lacking) return NONE;
  const sentence = lacking
    ? `The other supplies of ${station} cannot carry what it draws: its blades may stop.`
    : `It befalls every blade of ${station}.`;
  return { asks: true, viewers: viewersOf(chassis), sentences: [sentence] };
}

function lacks(chassis, supply) {
  if (chassis.power_w === null) return false;
  const left = chassis.supplies.filter((one) => one.name !== supply && one.health !== "critical");
  return left.reduce((sum, one) => sum + (one.capacity_w ?? 0), 0) < chassis.power_w;
}

export function headline({ viewers: n }) {
  if (n === null) return "An unknown number of viewers may be cut off";
  return n === 0 ? "No viewer is cut off" : `${viewers(n)} will be cut off`;
}
