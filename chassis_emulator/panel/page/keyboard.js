// Arrow keys go from slot to slot as the eye sees them; one slot of each chassis is in the order of Tab.

const TURNS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const middle = (node) => {
  const { left, top, width, height } = node.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
};

export function nextBlade(from, key, blades) {
  if (key === "Home" || key === "End") {
    const own = blades.filter((blade) => blade.closest(".bay") === from.closest(".bay"));
    return own.at(key === "Home" ? 0 : -1);
  }
  const [right, down] = TURNS[key];
  const [x, y] = middle(from);
  let best = null;
  let least = Infinity;
  for (const blade of blades) {
    const [bx, by] = middle(blade);
    const ahead = (bx - x) * right + (by - y) * down;
    const aside = Math.abs((bx - x) * down) + Math.abs((by - y) * right);
    // Sideways only along the row; up and down to whatever is nearest there.
    if (ahead < 2 || (right && aside > 40)) continue;
    const far = ahead + 2 * aside;
    if (far < least) [best, least] = [blade, far];
  }
  return best;
}

export function isTurn(key) {
  return key in TURNS || key === "Home" || key === "End";
}

// Keep exactly one blade of each chassis in the order of Tab.
export function keepTabStops(main, current) {
  for (const bay of main.querySelectorAll(".bay")) {
    const blades = [...bay.querySelectorAll(".blade")];
    const own = blades.find((blade) => blade === current) ?? blades.find((blade) => blade.tabIndex === 0) ?? blades[0];
    for (const blade of blades) if (blade.tabIndex !== (blade === own ? 0 : -1)) blade.tabIndex = blade === own ? 0 : -1;
  }
}
