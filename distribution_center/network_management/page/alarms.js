// The alarms, the worst first, and the word that somebody has seen one.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { find, theAlarms } from "./network.js";
import { moment } from "./words.js";

// Colours by severity (ITU-T X.733).
export const SEVERITIES = { critical: "red", major: "orange", minor: "yellow", warning: "yellow", indeterminate: "yellow" };

export function makeAlarms(root, select) {
  const list = root.querySelector("tbody");
  const [nothing, refused, person, token] = ["none", "refused", "person", "token"].map((id) => document.getElementById(id));
  const rows = new Map();

  function makeRow(alarm) {
    const badge = element("span", { class: "badge" });
    const where = element("button", { type: "button", class: "where", click: () => select(where.dataset.component) });
    const kind = element("b");
    const text = element("span");
    const since = element("time");
    const state = element("td");
    const acknowledging = element("button", { type: "button", class: "acknowledge", click: () => acknowledge(alarm.number) }, "Acknowledge");
    const root = element("tr", { "data-alarm": alarm.number },
      element("td", {}, badge), element("td", {}, where), element("td", {}, kind, text), element("td", {}, since), state, element("td", {}, acknowledging));
    return {
      root,
      update(now) {
        const place = find(now.component);
        setAttribute(root, "class", now.state);
        setAttribute(badge, "class", `badge ${now.state === "cleared" ? "green" : SEVERITIES[now.severity]}`);
        setText(badge, now.severity);
        setAttribute(where, "data-component", now.component);
        where.disabled = !place;
        setText(where, place?.label ?? now.component);
        setText(kind, [now.kind, now.resource].filter(Boolean).join(", "));
        setText(text, now.text ? ` – ${now.text}` : "");
        setText(since, moment(now.raised_at));
        setAttribute(since, "datetime", new Date(now.raised_at * 1000).toISOString());
        setAttribute(since, "title", new Date(now.raised_at * 1000).toLocaleString());
        setText(state, now.state + (now.flapping ? ", flapping" : "") + (now.acknowledged_by ? ` by ${now.acknowledged_by}` : ""));
        acknowledging.hidden = Boolean(now.acknowledged_by);
      },
    };
  }

  async function acknowledge(number) {
    const name = person.value.trim();
    if (!name) {
      setText(refused, "Say who you are first.");
      person.focus();
      return;
    }
    const answer = await fetch("/acknowledge", {
      method: "POST",
      headers: { Authorization: `Bearer ${token.value.trim()}`, "Content-Type": "application/json" },
      body: JSON.stringify({ alarm: number, person: name }),
    }).catch(() => null);
    setText(refused, await refusalOf(answer));
  }

  async function refusalOf(answer) {
    if (!answer) return "No answer.";
    if (answer.ok) return "";
    return answer.status === 401 ? "That is not the token." : (await answer.text()).trim();
  }

  root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  return {
    update() {
      nothing.hidden = theAlarms().length > 0;
      root.querySelector("table").hidden = !theAlarms().length;
      keepList(list, rows, theAlarms(), (alarm) => alarm.number, makeRow);
    },
  };
}
