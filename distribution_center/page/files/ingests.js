// What is being brought in: how far each is, how long it still takes, and an end to it.

import { element, keepList, setAttribute, setStyle, setText } from "/shared/element.js";
import { notice } from "/shared/notices.js";
import { say } from "./api.js";
import { ask } from "./confirm.js";
import * as words from "./words.js";

const OVER = new Set(["done", "failed", "cancelled"]);
const SHOWN = 6;
const STAGES = { waiting: "waiting for others", downloading: "downloading", converting: "converting", storing: "storing at home" };

const fileOf = (source) => decode(source.split("?")[0].split("/").filter(Boolean).at(-1) ?? source);

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// A line with a bar: an ingest, or an upload.
export function makeProgress({ stop, label }) {
  const name = element("b");
  const said = element("span", { class: "said" });
  const level = element("span", { class: "level" });
  const end = element("button", { type: "button", class: "plain", click: stop }, label);
  const problem = element("p", { class: "problem" });
  const root = element("li", { class: "ingest" },
    element("div", { class: "line" }, name, end),
    element("span", { class: "meter", "aria-hidden": "true" }, level),
    said, problem);
  function update({ title, text, fraction, error = "", over = false, grade = "" }) {
    setText(name, title);
    setAttribute(name, "title", title);
    setText(said, text);
    setStyle(level, "--share", fraction);
    setText(problem, error);
    problem.hidden = !error;
    end.hidden = over;
    setAttribute(end, "aria-label", `${label} ${title}`);
    setAttribute(root, "data-grade", grade || null);
  }
  return { root, update };
}

function makeIngest() {
  let row = null;
  const part = makeProgress({ stop, label: "Cancel" });

  async function stop() {
    const title = titleOf(row);
    if (!(await ask("Cancel it", `Nothing of ${title} stays`, ["It is ended, and what has come of it is removed."], "Go on"))) return;
    const { answer, refused } = await say("content/cancel-ingest", { ingest: row.progress.ingest });
    notice(refused || `${title}: ${answer.stage}.`, { refused: Boolean(refused) });
  }

  function update(now) {
    row = now;
    const { stage, fraction, remaining_s, received_bytes, length_bytes, error, program } = row.progress;
    const over = OVER.has(stage);
    const came = stage === "downloading" && received_bytes ? `${words.bytes(received_bytes)}${length_bytes ? ` of ${words.bytes(length_bytes)}` : ""}` : "";
    const share = over || stage === "waiting" ? "" : `${Math.floor(100 * fraction)} %`;
    const text = over ? `${stage}${program && stage === "done" ? `: ${program}` : ""}` : [STAGES[stage] ?? stage, share, came, words.left(remaining_s)].filter(Boolean).join(", ");
    const grade = stage === "failed" ? "critical" : stage === "done" ? "ok" : "";
    part.update({ title: titleOf(row), text, fraction: stage === "done" ? 1 : fraction, error: error ?? "", over, grade });
  }

  return { root: part.root, update };
}

const titleOf = (row) => row.title || fileOf(row.source);

export function makeIngests() {
  const list = document.getElementById("ingests");
  const nothing = document.getElementById("no-ingests");
  const all = document.getElementById("all-ingests");
  const rows = new Map();
  const parts = new Map();
  let every = false;
  all.addEventListener("click", () => {
    every = !every;
    show();
  });

  function take({ changed, gone }) {
    for (const key of gone) rows.delete(key);
    for (const row of changed) rows.set(row.progress.ingest, row);
    show();
  }

  // Those under way first, then the latest.
  function show() {
    const isOver = (row) => Number(OVER.has(row.progress.stage));
    const sorted = [...rows.values()].sort((one, other) => isOver(one) - isOver(other) || other.begun_at_s - one.begun_at_s);
    keepList(list, parts, every ? sorted : sorted.slice(0, SHOWN), (row) => row.progress.ingest, makeIngest);
    nothing.hidden = sorted.length > 0;
    all.hidden = sorted.length <= SHOWN;
    setText(all, every ? "Show fewer" : `Show all ${sorted.length}`);
  }

  return { take, forget: () => rows.clear() };
}
