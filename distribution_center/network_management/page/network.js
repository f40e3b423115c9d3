// What is known of the network, as the events tell it. What is summed up over all of it is kept by difference: a change
// costs what changed.

const components = new Map();
const alarms = new Map();
const parts = new Map();
const present = new Map();
const NOTHING = { streams: 0, sent_bps: 0, silent: 0, stations: 0, blades: 0 };
let totals = { ...NOTHING };

// Gives the names of the components, and the numbers of the alarms, that are others now or gone.
export function take({ components: others, alarms: otherAlarms, gone, cleared }, { whole }) {
  const changed = { components: new Set(), alarms: new Set() };
  if (whole) forgetAll(changed);
  for (const name of gone) forget(name, changed);
  for (const fields of others) learn(fields, changed);
  for (const number of cleared) setAlarm(number, null, changed);
  for (const fields of otherAlarms) setAlarm(fields.number, { ...alarms.get(fields.number), ...fields }, changed);
  return changed;
}

function forgetAll(changed) {
  for (const name of [...components.keys()]) forget(name, changed);
  for (const number of [...alarms.keys()]) setAlarm(number, null, changed);
}

function forget(name, changed) {
  const one = components.get(name);
  if (!one) return;
  count(one, -1);
  components.delete(name);
  parts.get(one.parent)?.delete(name);
  changed.components.add(name).add(one.parent);
}

function learn(fields, changed) {
  const before = components.get(fields.component);
  const one = { ...before, ...fields };
  if (before) count(before, -1);
  count(one, 1);
  components.set(one.component, one);
  if (!parts.has(one.parent)) parts.set(one.parent, new Set());
  parts.get(one.parent).add(one.component);
  changed.components.add(one.component).add(one.parent);
}

function count(one, sign) {
  if (one.agent && one.health === "silent") totals.silent += sign;
  if (one.kind === "station") totals.stations += sign;
  if (one.kind !== "blade") return;
  totals.blades += sign;
  if (isStale(one)) return;
  totals.streams += sign * (one.last?.streams ?? 0);
  totals.sent_bps += sign * (one.last?.sent_bps ?? 0);
}

function setAlarm(number, alarm, changed) {
  const before = alarms.get(number);
  if (before) present.set(before.severity, present.get(before.severity) - 1);
  if (alarm) {
    alarms.set(number, alarm);
    present.set(alarm.severity, (present.get(alarm.severity) ?? 0) + 1);
  } else {
    alarms.delete(number);
  }
  changed.alarms.add(number);
}

export const theTotals = () => totals;
export const alarmOf = (number) => alarms.get(number);
export const theAlarms = () => [...alarms.values()];
export const howMany = (severity) => present.get(severity) ?? 0;
export const find = (name) => components.get(name);
export const isEmpty = () => !components.size;
export const partsOf = (name, kind) => [...(parts.get(name) ?? [])].map(find).filter((each) => each.kind === kind);
export const chassisOf = (station) => find(`${station}/chassis`);
export const ofKind = (kind) => [...components.values()].filter((each) => each.kind === kind);

// What was read last is of a time that is over: the agent does not answer.
export const isStale = (one) => one.health !== "answering";

// What the chassis manager says of a blade's slot.
export function viewOf(blade) {
  return chassisOf(blade.parent)?.slots?.find((each) => each.slot === blade.slot);
}

export function nameOf(one) {
  if (one.kind === "headquarters") return "Headquarters";
  return one.kind === "center" ? `Center ${one.called || one.label}` : one.label;
}
