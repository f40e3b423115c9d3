// What is known of the network, as the events tell it.

const components = new Map();
let alarms = [];

export function take(change, { whole }) {
  if (whole) components.clear();
  for (const each of change.components) components.set(each.component, each);
  if (change.alarms) alarms = change.alarms;
}

export const theAlarms = () => alarms;
export const everything = () => [...components.values()];
export const ofKind = (kind) => everything().filter((each) => each.kind === kind);
export const find = (name) => components.get(name);
export const partsOf = (name, kind) => everything().filter((each) => each.parent === name && each.kind === kind);
export const chassisOf = (station) => partsOf(station, "chassis")[0];

// What the chassis manager says of a blade's slot.
export function viewOf(blade) {
  return chassisOf(blade.parent)?.slots?.find((each) => each.slot === blade.slot);
}

export function nameOf(one) {
  return one.kind === "center" ? `Center ${one.name || one.label}` : one.label;
}
