// The list: as many programs as a person has asked to see, and no more of the catalogue.

import { element, keepList, setText } from "/shared/element.js";
import { length } from "./words.js";

const TYPING_MS = 200;
const AT_ONCE = 24;
const AGAIN_MS = 3000;

export function makeTitles(list, search) {
  const none = document.getElementById("none");
  const more = document.getElementById("more");
  const kept = new Map();
  let shown = [];
  let after = null;
  let looked = null;
  let asking = null;
  let typing = null;

  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(begin, TYPING_MS);
  });
  more.addEventListener("click", async () => {
    const before = shown.length;
    await load();
    list.children[before]?.querySelector("a").focus();
  });

  const searched = () => search.value.trim();

  async function begin() {
    clearTimeout(typing);
    shown = [];
    after = "";
    looked = searched();
    await load();
  }

  // What is found may lie far apart: the station looks through a part of its catalogue at a time.
  async function load() {
    asking?.abort();
    const mine = asking = new AbortController();
    const enough = shown.length + AT_ONCE;
    setText(none, shown.length ? "" : "Looking …");
    none.hidden = shown.length > 0;
    try {
      while (after !== null && shown.length < enough) {
        const found = await ask({ search: searched(), after, limit: enough - shown.length }, mine.signal);
        shown = [...shown, ...found.titles];
        after = found.after;
      }
      draw();
    } catch (error) {
      if (mine.signal.aborted) return;
      draw("The station does not answer. Trying again …");
      setTimeout(() => { if (asking === mine) load(); }, AGAIN_MS);
    }
  }

  function draw(trouble = null) {
    keepList(list, kept, shown, (title) => title.program, makeCard);
    more.hidden = after === null || trouble !== null || !shown.length;
    none.hidden = shown.length > 0 && !trouble;
    setText(none, trouble ?? (looked ? `Nothing here is called “${looked}”.` : "No program is in service here yet."));
  }

  async function ask(question, signal) {
    const response = await fetch(`/titles?${new URLSearchParams(question)}`, { signal });
    if (!response.ok) throw new Error(response.statusText);
    return response.json();
  }

  // How many stand side by side, as they are laid out now.
  function columns() {
    const [first, ...others] = list.children;
    const wrapped = others.findIndex((card) => card.offsetTop > first.offsetTop);
    return wrapped < 0 ? list.children.length : wrapped + 1;
  }

  return {
    async show() {
      if (looked !== searched()) await begin();
    },
    // What is known of a program, whose page may be the first that is opened.
    async find(program) {
      const known = shown.find((title) => title.program === program);
      if (known) return known;
      try {
        const { titles: [found] } = await ask({ search: program, after: "", limit: 1 });
        if (found?.program === program) return found;
      } catch {
        // It is played under its name.
      }
      return { program, title: program, duration_ms: 0, picture: null };
    },
    focus(program) {
      kept.get(program)?.root.querySelector("a").focus();
    },
    key({ key, target }) {
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
      if (!(key in steps) || !list.children.length) return false;
      const cards = [...list.children];
      const at = cards.indexOf(target.closest?.("li"));
      const next = at < 0 ? cards[0] : cards[at + steps[key]];
      next?.querySelector("a").focus();
      return true;
    },
  };
}

function makeCard(title) {
  const name = element("span", { class: "name" });
  const lasts = element("span", { class: "lasts" });
  const frame = element("span", { class: "picture", "data-letter": title.title.charAt(0).toUpperCase() }, lasts);
  if (title.picture) {
    const picture = element("img", { src: `/programs/${title.program}/picture/${title.picture}`, alt: "", loading: "lazy", width: 480, height: 270 });
    picture.addEventListener("error", () => picture.remove());
    frame.prepend(picture);
  }
  const root = element("li", {}, element("a", { href: `#/watch/${title.program}` }, frame, name));
  return {
    root,
    update(now) {
      setText(name, now.title);
      setText(lasts, length(now.duration_ms));
    },
  };
}
