// How values read.

export const BPS = { unit: "bit/s" };
const STEPS = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
const stepOf = (value) => STEPS.find(([size]) => Math.abs(value) >= size);

export function short(value) {
  const size = Math.abs(value);
  return String(size >= 100 ? Math.round(value) : size >= 10 ? Math.round(value * 10) / 10 : Math.round(value * 100) / 100);
}

// `kind`: { unit, whole }.
export function quantity(value, { unit, whole }) {
  if (unit === "bit/s") {
    const step = stepOf(value);
    return step ? `${short(value / step[0])} ${step[1]}bit/s` : `${Math.round(value)} bit/s`;
  }
  const text = whole ? String(Math.round(value)) : short(value);
  return unit ? `${text} ${unit}` : text;
}

// At an axis, where there is no room for a unit.
export function tickLabel(value, { unit }) {
  const step = unit === "bit/s" && stepOf(value);
  return step ? `${short(value / step[0])}${step[1]}` : short(value);
}

export const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

export function moment(seconds) {
  const at = new Date(seconds * 1000);
  const clock = at.toLocaleTimeString([], { hourCycle: "h23" });
  return at.toDateString() === new Date().toDateString() ? clock : `${at.toLocaleDateString()} ${clock}`;
}

export const clock = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleTimeString([], { hourCycle: "h23" }) : "a time unknown");

export function age(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

// Why a component is not `answering`; empty if it is.
export function trouble({ health, reason }) {
  if (health === "answering") return "";
  return reason ? `${health}: ${reason}` : health;
}
