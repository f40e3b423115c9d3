// The alarms that are there now, the worst first, and the word of a person that they have seen some.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { alarmOf, find, nameOf, theAlarms } from "./network.js";
import { makeOrdered } from "./ordered.js";
import { makeBadge, rankOf } from "./severity.js";
import { count, moment } from "./words.js";

export function makeAlarms(root, select) {
  const [list, nothing, form, chosenText, all, refused, person, token, comment] =
    ["rows", "none", "acknowledging", "chosen", "choose-all", "refused", "person", "token", "comment"].map((id) => document.getElementById(id));
  const chosen = new Set();
  const rows = makeOrdered(list, makeRow, { compare: (a, b) => rankOf(a.severity) - rankOf(b.severity) || b.raised_at - a.raised_at || b.number - a.number });

  function makeRow(number) {
    const box = element("input", { type: "checkbox", change: () => choose([number], box.checked) });
    const line = makeAlarmLine(select);
    const root = element("li", { "data-alarm": number }, element("label", { class: "pick" }, box), line.root);
    return {
      root,
      update(alarm) {
        setAttribute(root, "class", `alarm ${alarm.state}`);
        box.disabled = Boolean(alarm.acknowledged_by);
        setAttribute(box, "aria-label", `Choose ${alarm.kind} of ${titleOf(alarm.component)}`);
        line.update(alarm);
      },
      check() { box.checked = chosen.has(number); },
    };
  }

  function choose(numbers, whether) {
    for (const number of numbers) {
      if (whether) chosen.add(number);
      else chosen.delete(number);
      rows.get(number)?.check();
    }
    tell();
  }

  const open = () => theAlarms().filter((alarm) => !alarm.acknowledged_by).map((alarm) => alarm.number);

  function tell() {
    form.hidden = !chosen.size;
    setText(chosenText, `${count(chosen.size, "alarm")} chosen`);
    const waiting = open().length;
    all.checked = waiting > 0 && chosen.size === waiting;
    all.indeterminate = chosen.size > 0 && chosen.size < waiting;
    all.disabled = !waiting;
  }

  async function acknowledge() {
    const name = person.value.trim();
    if (!name) {
      setText(refused, "Say who you are first.");
      person.focus();
      return;
    }
    const numbers = [...chosen].slice(0, 1000);
    const answer = await fetch("/acknowledge", {
      method: "POST",
      headers: { Authorization: `Bearer ${token.value.trim()}`, "Content-Type": "application/json" },
      body: JSON.stringify({ alarms: numbers, person: name, comment: comment.value.trim() }),
    }).catch(() => null);
    setText(refused, await refusalOf(answer));
    if (!answer?.ok) return;
    choose(numbers, false);
    comment.value = "";
    all.focus();
  }

  async function refusalOf(answer) {
    if (!answer) return "No answer.";
    if (answer.ok) return "";
    return answer.status === 401 ? "That is not the token: it is in the file token of the system's folder." : (await answer.text()).trim();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    acknowledge();
  });
  all.addEventListener("change", () => choose(all.checked ? open() : [...chosen], all.checked));
  return {
    // Only those that are named, and those about a component whose name has become known.
    update(changed) {
      for (const number of changed) {
        const alarm = alarmOf(number);
        if (alarm) rows.put(number, alarm);
        else rows.remove(number);
        if (!alarm || alarm.acknowledged_by) chosen.delete(number);
        rows.get(number)?.check();
      }
      if (!changed.size) return;
      nothing.hidden = rows.all().length > 0;
      list.hidden = !nothing.hidden;
      tell();
    },
  };
}

function titleOf(component) {
  const place = find(component);
  return place ? nameOf(place) : component;
}

// What an alarm says, present or past.
export function makeAlarmLine(select) {
  const badge = makeBadge();
  const where = element("button", { type: "button", class: "where", click: () => select(where.dataset.component) });
  const kind = element("b");
  const text = element("span");
  const times = element("span", { class: "times" });
  const done = element("span", { class: "done" });
  const reports = element("ul", { class: "reports" });
  const also = element("summary");
  const more = element("details", {}, also, reports);
  const root = element("div", { class: "line" },
    element("div", { class: "what" }, badge.root, where, kind), element("p", { class: "text" }, text), more,
    element("p", { class: "hint" }, times, done));
  const kept = new Map();
  return {
    root,
    update(alarm) {
      const cleared = alarm.state === "cleared";
      const place = find(alarm.component);
      badge.show(alarm.severity, cleared);
      setAttribute(where, "data-component", alarm.component);
      where.disabled = !place;
      setText(where, titleOf(alarm.component));
      setText(kind, [alarm.kind, alarm.resource].filter(Boolean).join(", "));
      setText(text, alarm.text);
      setText(times, cleared ? `${moment(alarm.raised_at)} to ${moment(alarm.changed_at)}` : `since ${moment(alarm.raised_at)}`);
      setText(done, doneWith(alarm));
      const others = alarm.reports.length + alarm.more_reports;
      more.hidden = !others;
      setText(also, `${count(others, "more report")} of it`);
      keepList(reports, kept, alarm.reports, (report) => report, (report) => ({ root: element("li", {}, report), update() {} }));
    },
  };
}

function doneWith(alarm) {
  const seen = alarm.acknowledged_by ? `acknowledged by ${alarm.acknowledged_by}` : alarm.state === "cleared" ? "seen by nobody" : alarm.state;
  return [` · ${seen}`, alarm.comment && `: “${alarm.comment}”`, alarm.flapping && ", flapping"].filter(Boolean).join("");
}
