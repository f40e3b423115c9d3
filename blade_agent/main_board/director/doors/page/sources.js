// Which engine each segment came from: the latest ones in a row, and what each engine has sent.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { count } from "./words.js";

const SHOWN = 24;
const COLOURS = 8;

export function makeSources() {
  const now = document.getElementById("now");
  const strip = document.getElementById("strip");
  const list = document.getElementById("engines");
  const handOvers = document.getElementById("hand-overs");
  const cells = new Map();
  const rows = new Map();
  let engines = new Map();
  let slots = new Map();
  let latest = [];
  let changes = 0;
  let came = 0;
  let shownAt = 0;

  // The station says which blade has which address; a blade that has come since is asked for again.
  async function learnSlots() {
    try {
      const response = await fetch("/engines");
      if (!response.ok) return;
      slots = new Map((await response.json()).map(({ media, slot }) => [media, slot]));
      draw();
    } catch {
      // It is shown by its address alone.
    }
  }

  const nameOf = (address) => (slots.has(address) ? `slot ${slots.get(address)}` : address);

  function take({ number, url, begin, seconds }) {
    const address = new URL(url, location.href).host;
    const last = latest.at(-1);
    if (!engines.has(address)) {
      engines.set(address, { address, sent: 0, colour: engines.size % COLOURS });
      if (!slots.has(address)) learnSlots();
    }
    engines.get(address).sent += 1;
    if (last && last.address !== address) changes += 1;
    came += 1;
    latest = [...latest, { key: came, number, address, begin, end: begin + seconds }].slice(-SHOWN);
    draw();
  }

  // What is on the screen: the last that came of those that are for this moment.
  const onScreen = () => latest.findLast(({ begin, end }) => begin <= shownAt && shownAt < end) ?? latest.at(-1);

  function draw() {
    const seen = onScreen();
    setText(now, seen ? `On screen: segment ${seen.number}, from ${nameOf(seen.address)}` : "Nothing has come yet.");
    keepList(strip, cells, latest, ({ key }) => key, makeCell);
    keepList(list, rows, [...engines.values()], ({ address }) => address, makeRow);
    setText(handOvers, came > 1 ? `${count(changes, "change")} of engine in ${count(came, "segment")}.` : "");
  }

  function makeCell({ key, number, address }) {
    const root = element("li", { "data-colour": engines.get(address).colour }, String(number));
    return {
      root,
      update() {
        setAttribute(root, "title", `Segment ${number}: ${nameOf(address)}`);
        setAttribute(root, "data-now", onScreen()?.key === key);
      },
    };
  }

  function makeRow({ address, colour }) {
    const name = element("b");
    const sent = element("span", { class: "sent" });
    const where = element("span", { class: "where" });
    const root = element("li", {}, element("span", { class: "mark", "data-colour": colour, "aria-hidden": "true" }), name, where, sent);
    return {
      root,
      update(engine) {
        setText(name, nameOf(address));
        setText(where, slots.has(address) ? address : "");
        setText(sent, count(engine.sent, "segment"));
        setAttribute(root, "data-now", onScreen()?.address === address);
      },
    };
  }

  return {
    begin() {
      engines = new Map();
      latest = [];
      changes = came = shownAt = 0;
      draw();
    },
    take,
    showing(seconds) {
      const before = onScreen();
      shownAt = seconds;
      if (onScreen() !== before) draw();
    },
  };
}
