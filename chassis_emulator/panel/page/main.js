// The page: what is shown, what is opened, and what is ordered.

import { connect } from "/shared/connection.js";
import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { notice } from "/shared/notices.js";
import { actionsOf, orderWords } from "./actions.js";
import { healthsOf, makeChassis, viewersOf } from "./chassis.js";
import { ask, refreshQuestion } from "./confirm.js";
import { consequence, findSlot } from "./consequences.js";
import { keyOf, makeDetail } from "./detail.js";
import { changingIcon } from "./icons.js";
import { isTurn, keepTabStops, nextBlade } from "./keyboard.js";
import { makeLog } from "./log.js";
import { closeMenu, showMenu } from "./menu.js";
import { CONTROL, sendOrder } from "./orders.js";
import { applyPatch } from "./patch.js";
import { makeOverview } from "./overview.js";
import * as words from "./words.js";

const main = document.getElementById("stations");
const shelf = document.getElementById("shelf");
const chassis = new Map();
let picture = null;
let kinds = [];
let opened = null;

const detail = makeDetail(document.getElementById("detail"), { give, close: closeDetail });
const log = makeLog(document.getElementById("log"), (blade) => open({ blade }));
const overview = makeOverview(document.getElementById("overview"), goTo);
const chips = makeChips();

function makeChips() {
  const list = document.getElementById("chips");
  const make = (iconName, attributes = {}) => {
    const mark = changingIcon(iconName);
    const text = element("span");
    const inside = attributes.click ? element("button", { type: "button", ...attributes }, mark.root, text) : element("span", {}, mark.root, text);
    const root = element("li", {}, inside);
    list.append(root);
    return { root, mark, text };
  };
  const shown = { alarms: make("ok"), center: make("ok", { click: () => open({ center: true }) }), live: make("live") };
  const control = make(CONTROL ? "on" : "lock");
  setText(control.text, CONTROL ? "Control" : "Read-only");
  setAttribute(control.root, "data-grade", CONTROL ? "control" : "quiet");
  setAttribute(control.root, "title", CONTROL ? "Orders are taken here" : "Started without --control: nothing can be ordered here");
  return shown;
}

function saidOf(centers, away) {
  if (centers.length === 1) return away ? `Center ${away.process}` : "Center";
  return away ? `${away.name} ${away.process}` : "Centers";
}

function showChips() {
  const healths = picture.stations.flatMap(healthsOf);
  const critical = healths.filter((health) => health === "critical").length;
  const warnings = healths.filter((health) => health === "warning").length;
  const grade = critical ? "critical" : warnings ? "warning" : "ok";
  chips.alarms.mark.show(grade);
  setAttribute(chips.alarms.root, "data-grade", grade);
  setText(chips.alarms.text, [critical && `${critical} critical`, warnings && `${warnings} warning`].filter(Boolean).join(", ") || "All healthy");
  const centers = [picture.center, ...picture.other_centers];
  const away = centers.find((one) => one.process !== "running");
  chips.center.mark.show(away ? "critical" : "ok");
  setAttribute(chips.center.root, "data-grade", away ? "critical" : "ok");
  setText(chips.center.text, saidOf(centers, away));
}

function show(now) {
  picture = now;
  document.getElementById("waiting")?.remove();
  document.title = `${now.name} – front panel`;
  setText(document.getElementById("network"), now.name);
  const all = now.stations.reduce((sum, one) => sum + viewersOf(one), 0);
  const blades = now.stations.reduce((sum, one) => sum + one.slots.filter((slot) => slot.present).length, 0);
  setText(document.getElementById("about-network"), `network ${now.network} · ${now.stations.length} chassis, ${blades} blades · ${words.viewers(all)}`);
  showChips();
  showNms(now.nms);
  overview.update(now.stations);
  keepList(shelf, chassis, now.stations, (one) => one.station, (one) => makeChassis(one, open));
  keepTabStops(main, null);
  showOpened();
  refreshQuestion();
}

function showNms(page) {
  const link = document.getElementById("nms");
  link.hidden = !page;
  if (page) setAttribute(link, "href", page);
}

function goTo(chassis, slot) {
  const part = main.querySelector(`[data-station="${CSS.escape(chassis.station)}"]`);
  part.scrollIntoView({ block: "start" });
  if (slot) open({ blade: slot.name });
}

function showOpened() {
  detail.update(opened, picture, kinds);
  for (const button of main.querySelectorAll(".blade, .manager")) {
    const key = button.dataset.blade ?? button.dataset.chassis;
    setAttribute(button, "aria-expanded", String(opened !== null && key === keyOf(opened)));
    setAttribute(button, "aria-controls", "detail");
  }
}

function placeOf(what) {
  const key = CSS.escape(keyOf(what));
  return main.querySelector(`[data-blade="${key}"], [data-chassis="${key}"]`) ?? chips.center.root.firstChild;
}

function open(what) {
  const same = keyOf(what) === keyOf(opened);
  opened = what;
  showOpened();
  placeOf(what).scrollIntoView({ block: "nearest" });
  if (!same) detail.focus();
}

function closeDetail() {
  if (!opened) return;
  const back = placeOf(opened);
  opened = null;
  showOpened();
  back.focus();
}

async function give(order) {
  const title = orderWords(order, kinds);
  const back = document.activeElement;
  if (consequence(order, picture, kinds).asks) {
    const agreed = await ask(title, () => consequence(order, picture, kinds));
    back?.focus?.();
    if (!agreed) return;
  }
  const refusal = await sendOrder(order);
  notice(refusal ? `${title}: ${refusal}` : `${title}: done.`, { refused: Boolean(refusal) });
  if (!document.activeElement || document.activeElement === document.body) detail.focus();
}

function menuFor(blade, place) {
  const { slot } = findSlot(picture, blade.dataset.blade);
  const items = CONTROL ? actionsOf(slot).map((action) => ({ ...action, choose: () => give(action.order) })) : [];
  items.unshift({ label: "Open", icon: "info", choose: () => open({ blade: slot.name }) });
  showMenu(`Orders for ${slot.name}`, items, place, blade);
}

main.addEventListener("click", (event) => {
  const blade = event.target.closest(".blade");
  if (blade) open({ blade: blade.dataset.blade });
});

main.addEventListener("contextmenu", (event) => {
  const blade = event.target.closest(".blade");
  if (!blade) return;
  event.preventDefault();
  const { left, top, width } = blade.getBoundingClientRect();
  const byMouse = event.button === 2 && (event.clientX || event.clientY);
  menuFor(blade, byMouse ? { x: event.clientX, y: event.clientY } : { x: left + width / 2, y: top + 40 });
});

main.addEventListener("keydown", (event) => {
  const blade = event.target.closest(".blade");
  if (!blade || !isTurn(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const next = nextBlade(blade, event.key, [...main.querySelectorAll(".blade")]);
  if (!next) return;
  next.focus();
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
});

main.addEventListener("focusin", (event) => {
  const blade = event.target.closest(".blade");
  if (blade) keepTabStops(main, blade);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (!closeMenu()) closeDetail();
});

function showConnection(icon, text) {
  chips.live.mark.show(icon);
  setAttribute(chips.live.root, "data-grade", icon);
  setText(chips.live.text, text);
}

function showWhole(whole) {
  // A network that was started again has another token and perhaps another page.
  if (picture && picture.boot !== whole.boot) location.reload();
  show(whole);
}

const told = {
  picture: showWhole,
  patch: (patch) => show(applyPatch(picture, patch)),
  log: (events) => log.add(events),
};

// Without them everything but injecting works.
async function askFaultKinds() {
  const response = await fetch("/faults");
  return response.ok ? response.json() : [];
}

connect("/changes", told, {
  lost: () => showConnection("critical", "Lost"),
  found(again) {
    if (again) notice("The connection is back.");
    showConnection("live", "Live");
  },
});
kinds = await askFaultKinds();
if (picture) showOpened();
