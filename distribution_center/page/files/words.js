// How values read.

const STEPS = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

function short(value, unit) {
  const [size, prefix] = STEPS.find(([least]) => value >= least) ?? [1, ""];
  const number = value / size;
  return `${number >= 100 || size === 1 ? Math.round(number) : Math.round(number * 10) / 10} ${prefix}${unit}`;
}

export const bytes = (count) => short(count, "B");
export const rate = (bps) => short(bps, "bit/s");
export const count = (number, what) => `${number.toLocaleString("en-GB")} ${what}${number === 1 ? "" : "s"}`;

export function length(ms) {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)} h` : `${minutes}:${two(seconds % 60)} min`;
}

export function left(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 60) return "less than a minute left";
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${count(minutes, "minute")} left` : `${count(Math.round(minutes / 60), "hour")} left`;
}

// Every time says its zone: the browser's, and how far that is from UTC at that time.
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const OFFSET = new Intl.DateTimeFormat("en-GB", { timeZoneName: "longOffset" });
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const offset = (ms) => OFFSET.formatToParts(ms).find((part) => part.type === "timeZoneName").value.replace("GMT", "UTC");
export const moment = (ms) => `${MOMENT.format(ms)} ${offset(ms)}`;

export const STATES = {
  stored: "being stored", inactive: "inactive",
  distributing: "distributing", ready: "ready", published: "published", expiring: "expired",
  withdrawn: "withdrawn", deleted: "deleted",
};

// When a program is in service, in words; two times of one zone name it once.
export function service(row, now = Date.now()) {
  const begins = row.publish_at_ms;
  const ends = row.window_ends_ms;
  const begun = begins === null ? "not published" : `${begins > now ? "from" : "since"} ${MOMENT.format(begins)}`;
  if (ends === null) return begins === null ? begun : `${begun} ${offset(begins)}`;
  const own = begins !== null && offset(begins) !== offset(ends) ? ` ${offset(begins)}` : "";
  return `${begun}${own}, ${ends > now ? "until" : "ended"} ${moment(ends)}`;
}
