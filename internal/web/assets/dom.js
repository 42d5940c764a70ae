// Building and updating the document without a single line of HTML in strings.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : String(c))));
  return node;
}

// h makes an HTML element, s one of SVG.
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// What people change themselves is theirs: it survives an update.
const theirs = { DETAILS: ["open"], INPUT: ["value"] };

function sameKind(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName &&
    (a.nodeType !== Node.ELEMENT_NODE || a.getAttribute("data-key") === b.getAttribute("data-key"));
}

// morph turns the children of one node into those of another, and leaves alone what
// is the same: focus, scroll positions and open details stay where they are.
export function morph(into, from) {
  const wanted = [...from.childNodes];
  for (let i = 0; i < wanted.length; i++) {
    const next = wanted[i];
    let have = into.childNodes[i];
    if (have && !sameKind(have, next)) {
      const later = next.nodeType === Node.ELEMENT_NODE && next.hasAttribute("data-key")
        ? [...into.childNodes].slice(i + 1).find((c) => sameKind(c, next)) : undefined;
      if (later) {
        into.insertBefore(later, have);
        have = later;
      } else {
        into.insertBefore(next, have);
        continue;
      }
    }
    if (!have) into.append(next);
    else update(have, next);
  }
  while (into.childNodes.length > wanted.length) into.lastChild.remove();
}

function update(have, next) {
  if (have.nodeType !== Node.ELEMENT_NODE) {
    if (have.nodeValue !== next.nodeValue) have.nodeValue = next.nodeValue;
    return;
  }
  const kept = theirs[have.nodeName] || [];
  for (const { name } of [...have.attributes]) {
    if (!next.hasAttribute(name) && !kept.includes(name)) have.removeAttribute(name);
  }
  for (const { name, value } of [...next.attributes]) {
    if (have.getAttribute(name) !== value && !kept.includes(name)) have.setAttribute(name, value);
  }
  morph(have, next);
}

// show puts what a view drew into its place.
export function show(place, ...drawn) {
  morph(place, h("div", null, ...drawn));
}
