/*
 * Elements, and how a drawing takes the place of an earlier one.
 *
 * Belongs here: making HTML and SVG elements, patching what is on the page. Not here: what is drawn.
 *
 * A panel is drawn whole whenever its numbers change, and `patch` carries only the differences over: so that focus,
 * a half-done click and a screen reader's place survive numbers that change every second. What is drawn therefore
 * carries no listeners: actions are `data-do` attributes, which page.js listens for once. All text goes in as text.
 */

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element; attributes that are null, undefined or false are left out, `true` is an empty one. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false && child !== "") element.append(child);
  }
  return element;
}

/** Make the children of `place` what `drawn` is, touching only what differs. */
export function show(place, ...drawn) {
  const wanted = document.createElement("div");
  for (const each of drawn.flat(Infinity))
    if (each !== null && each !== undefined && each !== false) wanted.append(each);
  patchChildren(place, wanted);
}

function patch(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) {
    if (name === "tabindex" && old.hasAttribute("data-item")) continue; // page.js moves it along a list
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (!old.hasAttribute("data-own")) patchChildren(old, wanted); // what a person types in is theirs
}

function patchChildren(place, wanted) {
  const staying = new Set([...wanted.children].map((child) => child.dataset.key));
  const keyed = new Map();
  for (const child of [...place.children]) {
    if (!child.dataset.key) continue;
    if (staying.has(child.dataset.key)) keyed.set(child.dataset.key, child);
    else child.remove(); // first, so that nothing that stays has to be moved: moving takes the focus away
  }
  let at = place.firstChild;
  for (const next of [...wanted.childNodes]) {
    const key = next.dataset?.key;
    let same = key ? keyed.get(key) : at;
    if (!alike(same, next) || (!key && same.dataset?.key)) same = null;
    if (!same) {
      place.insertBefore(next, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else place.insertBefore(same, at);
    patch(same, next);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function alike(one, other) {
  return Boolean(one) && one.nodeType === other.nodeType && one.nodeName === other.nodeName;
}
