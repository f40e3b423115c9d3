// When a program is in service, and its end. A time is the browser's, and says so.

import { element, setText } from "/shared/element.js";
import { notice } from "/shared/notices.js";
import { say } from "./api.js";
import { ask } from "./confirm.js";
import * as words from "./words.js";

const msOf = (input) => (input.value ? new Date(input.value).getTime() : null);

export function makePublishing(id) {
  const at = element("input", { type: "datetime-local", step: "60", change: sayZone });
  const until = element("input", { type: "datetime-local", step: "60", change: sayZone });
  const zone = element("p", { class: "hint", role: "status" });
  const now = element("p", { class: "hint" });
  const send = element("button", { type: "submit", class: "order" });
  const away = element("button", { type: "button", class: "plain grave", click: withdraw }, "Withdraw …");
  const form = element("form", { class: "form", "aria-labelledby": `${id}-publish`, submit: publish },
    element("h3", { id: `${id}-publish` }, "Publish"),
    now,
    element("div", { class: "fields" },
      element("label", { class: "field" }, "From", at),
      element("label", { class: "field" }, "Until", until)),
    zone,
    element("div", { class: "buttons" }, send, away));
  let row = null;

  function sayZone() {
    const times = [msOf(at), msOf(until)].filter((ms) => ms !== null).map((ms) => `${words.moment(ms)} is ${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`);
    setText(zone, times.length ? times.join("; ") : `Times are of ${words.ZONE}, the zone of this browser. Left empty: from now, and without an end.`);
    setText(send, at.value ? "Publish then" : "Publish now");
  }

  async function publish(event) {
    event.preventDefault();
    send.disabled = true;
    const { answer, refused } = await say("content/publish", { program: row.program, at_ms: msOf(at), until_ms: msOf(until) });
    send.disabled = false;
    notice(refused || `${row.program}: ${words.service(answer)}.`, { refused: Boolean(refused) });
  }

  async function withdraw() {
    const { program, title } = row;
    const headline = `${title || program} goes from every station, and from home`;
    const why = ["Who is watching it is cut off. It cannot be taken back: it would have to be ingested again.", `Its name is ${program}.`];
    if (!(await ask("Withdraw", headline, why))) return;
    const { refused } = await say("content/withdraw", { program });
    notice(refused || `${program} is withdrawn.`, { refused: Boolean(refused) });
  }

  sayZone();
  return { root: form, update(changed) { row = changed; setText(now, `It is ${words.STATES[row.state] ?? row.state}: ${words.service(row)}.`); } };
}
