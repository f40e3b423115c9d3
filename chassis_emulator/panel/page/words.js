// How the model's values read. What nobody knows is a dash, and "unknown" where it is read aloud.

export const DASH = "–";

export const STATES = {
  M0: "empty",
  M1: "may be taken out",
  M2: "asks to start",
  M3: "starting",
  M4: "in service",
  M5: "asks to leave",
  M6: "leaving",
  M7: "not heard",
};

export const ROLES = { director: "Director", engine: "Engine", unassigned: "No role" };
export const HEALTHS = { ok: "healthy", warning: "warning", critical: "critical", unknown: "health unknown" };

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

const known = (value, words) => (value === null || value === undefined ? DASH : words(value));

export const celsius = (value) => known(value, (c) => `${c.toFixed(0)} °C`);
export const watts = (value) => known(value, (w) => `${w < 99.95 ? w.toFixed(1) : w.toFixed(0)} W`);
export const volts = (value) => known(value, (v) => `${v.toFixed(2)} V`);
export const rpm = (value) => known(value, (r) => `${NUMBER.format(Math.round(r / 10) * 10)} rpm`);
export const percent = (value) => known(value, (share) => `${Math.round(share * 100)} %`);
export const count = (value) => known(value, (n) => NUMBER.format(n));
export const plain = (value) => known(value, String);

export function rate(value) {
  return known(value, (bps) => {
    if (bps >= 1e9) return `${(bps / 1e9).toFixed(2)} Gbit/s`;
    if (bps >= 1e6) return `${(bps / 1e6).toFixed(bps < 1e7 ? 1 : 0)} Mbit/s`;
    return `${(bps / 1e3).toFixed(0)} kbit/s`;
  });
}

export function viewers(n) {
  return n === 1 ? "1 viewer" : `${NUMBER.format(n)} viewers`;
}

export function streams(n) {
  return n === 1 ? "stream" : "streams";
}

// Why a slot is bad, in a few words.
export function trouble(slot) {
  return slot.health_text || HEALTHS[slot.health];
}

// What a slot is doing, in two or three words.
export function doing(slot) {
  if (!slot.present) return slot.hot_swap === "M7" ? "lost" : "empty";
  if (slot.process === "crashed") return "crashed";
  if (slot.process === "hung") return "hangs";
  if (!slot.powered) return "power off";
  if (slot.hot_swap === "M4" && slot.main_board && slot.main_board !== "ready") return `main board ${slot.main_board}`;
  return STATES[slot.hot_swap] ?? "state unknown";
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

export function isoTime(seconds) {
  return new Date(seconds * 1000).toISOString();
}

const CHANNELS = { working: "works", hanging: "hangs", failed: "failed" };

export function channels(list) {
  return list.map((one) => `${one.name} ${CHANNELS[one.state]}`).join(", ");
}
