// Elements in an order that changes one at a time: what did not change is neither compared with all others nor moved.

// `make(key)` gives { root, update(item), ... }; `compare(a, b)` orders items, `isShown(item)` says which are to be seen.
export function makeOrdered(node, make, { compare, isShown = () => true }) {
  const parts = new Map();
  let order = [];

  // Where an item belongs among the others.
  function placeOf(item) {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(order[middle].item, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function isInPlace(part, at) {
    return (at === 0 || compare(order[at - 1].item, part.item) <= 0)
      && (at === order.length - 1 || compare(part.item, order[at + 1].item) <= 0);
  }

  function put(key, item) {
    let part = parts.get(key);
    const at = part ? order.indexOf(part) : -1;
    if (!part) parts.set(key, (part = make(key)));
    part.item = item;
    part.update(item);
    part.root.hidden = !isShown(item);
    if (at >= 0 && isInPlace(part, at)) return part;
    if (at >= 0) order.splice(at, 1);
    const place = placeOf(item);
    node.insertBefore(part.root, order[place]?.root ?? null);
    order.splice(place, 0, part);
    return part;
  }

  function remove(key) {
    const part = parts.get(key);
    if (!part) return;
    order.splice(order.indexOf(part), 1);
    part.root.remove();
    parts.delete(key);
  }

  return {
    put,
    remove,
    get: (key) => parts.get(key),
    shown: () => order.filter((part) => !part.root.hidden),
    all: () => order,
    filter() {
      for (const part of order) part.root.hidden = !isShown(part.item);
    },
    sort() {
      order = order.toSorted((a, b) => compare(a.item, b.item));
      node.append(...order.map((part) => part.root));
    },
  };
}
