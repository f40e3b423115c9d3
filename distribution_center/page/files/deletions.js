// What is to be deleted at stations, and what keeps it there.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { notice } from "/shared/notices.js";
import { say } from "./api.js";
import { ask } from "./confirm.js";

const STAGES = { waiting: "waits", moving: "is moved first", deleting: "is being deleted", denied: "denied" };

function makeDeletion() {
  let row = null;
  const name = element("b");
  const said = element("span", { class: "said" });
  const reason = element("p", { class: "hint" });
  const end = element("button", { type: "button", class: "plain", click: dismiss }, "Dismiss");
  const root = element("li", { class: "ingest" }, element("div", { class: "line" }, name, said, end), reason);

  // It was denied: it stays where it is, and need not be shown.
  async function dismiss() {
    const { program, station } = row;
    const { refused } = await say("content/dismiss-deletion", { program, station });
    notice(refused || `${program} stays at ${station}.`, { refused: Boolean(refused) });
  }

  function update(now) {
    row = now;
    const { program, station, stage, evicts, destination, reason: why } = now;
    setText(name, `${program} at ${station}`);
    setText(said, [STAGES[stage] ?? stage, destination && `to ${destination}`, evicts && "for room"].filter(Boolean).join(", "));
    setText(reason, why ?? "");
    reason.hidden = !why;
    end.hidden = stage !== "denied";
    setAttribute(end, "aria-label", `Dismiss the deletion of ${program} at ${station}`);
    setAttribute(root, "data-grade", stage === "denied" ? "critical" : null);
  }
  return { root, update };
}

export function makeDeletions() {
  const section = document.getElementById("deletions");
  const list = document.getElementById("deletion-rows");
  const rows = new Map();
  const parts = new Map();

  function take({ changed, gone }) {
    for (const key of gone) rows.delete(key);
    for (const row of changed) rows.set(keyOf(row), row);
    keepList(list, parts, [...rows.values()].sort((one, other) => one.asked_at_ms - other.asked_at_ms), keyOf, makeDeletion);
    section.hidden = !rows.size;
  }

  return { take, forget: () => rows.clear() };
}

const keyOf = (row) => `${row.program} ${row.station}`;

// Ask, and order it.
export async function deleteAt(program, station) {
  const facts = ["It is deleted as soon as nobody plays or copies it there.", "Where it is the last copy of what is worth saving, another station takes it first.", "An order to distribute it there ends."];
  if (!(await ask("Delete it", `Delete ${program} at ${station}`, facts, "Keep it"))) return;
  const { answer, refused } = await say("content/delete", { program, station });
  notice(refused || `${program} at ${station}: ${STAGES[answer.stage] ?? answer.stage}.`, { refused: Boolean(refused) });
}
