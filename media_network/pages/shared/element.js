// Elements made and kept up to date: nothing is touched that has not changed, so that focus, selection and screen
// readers are left in peace.

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function drawing(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else setAttribute(node, name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// null and false take the attribute away, true sets it empty.
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value === true ? "" : value)) {
    node.setAttribute(name, value === true ? "" : value);
  }
}

export function setStyle(node, name, value) {
  if (node.style.getPropertyValue(name) !== String(value)) node.style.setProperty(name, value);
}

// The children of `node` become one for each of `items`, kept by key: `make(item)` gives { root, update(item) }.
export function keepList(node, kept, items, keyOf, make) {
  const keys = new Set(items.map(keyOf));
  for (const [key, part] of kept) {
    if (!keys.has(key)) {
      part.root.remove();
      kept.delete(key);
    }
  }
  items.forEach((item, index) => {
    const key = keyOf(item);
    if (!kept.has(key)) kept.set(key, make(item));
    const part = kept.get(key);
    if (node.children[index] !== part.root) node.insertBefore(part.root, node.children[index] ?? null);
    part.update(item);
  });
}
