// The context menu of a blade: right click, the menu key, or Shift and F10.

import { element } from "/shared/element.js";
import { icon } from "./icons.js";

let open = null;

export function showMenu(name, items, place, back) {
  closeMenu();
  const buttons = items.map((item) =>
    element("button", { type: "button", role: "menuitem", tabindex: "-1", class: item.grave ? "grave" : null,
      click: () => { closeMenu(); item.choose(); } }, icon(item.icon), item.label));
  const menu = element("div", { class: "menu", role: "menu", "aria-label": name, keydown: (event) => keys(event, buttons) }, ...buttons);
  document.body.append(menu);
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(4, Math.min(place.x, innerWidth - width - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(place.y, innerHeight - height - 4))}px`;
  buttons[0]?.focus();
  const away = (event) => { if (!menu.contains(event.target)) closeMenu(); };
  document.addEventListener("pointerdown", away);
  open = { menu, away, back };
}

export function closeMenu() {
  if (!open) return false;
  const { menu, away, back } = open;
  open = null;
  document.removeEventListener("pointerdown", away);
  if (menu.contains(document.activeElement)) back?.focus();
  menu.remove();
  return true;
}

function keys(event, buttons) {
  const at = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to !== undefined) buttons.at(to % buttons.length).focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
