// What is said without being asked: alarms at once, notices when there is a pause.

import { element, setText } from "/shared/element.js";

const SHOWN_MS = 6000;
const alarms = document.getElementById("alarms");
const notices = document.getElementById("notices");

export function alarm(sentence) {
  setText(alarms, sentence);
}

export function notice(sentence, { refused = false } = {}) {
  const line = element("p", { class: refused ? "refused" : null }, sentence);
  notices.append(line);
  setTimeout(() => line.remove(), refused ? 2 * SHOWN_MS : SHOWN_MS);
}
