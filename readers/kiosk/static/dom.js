// Small helpers to build elements. Text only ever enters as text: no markup is made from data.

export const byId = (id) => document.getElementById(id);

/** An element: properties by name, `data` and `aria` as objects, children as nodes or strings (null: left out). */
export function el(tag, { data = {}, aria = {}, onclick, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  if (tag === "button") element.type = "button";
  if (onclick) element.addEventListener("click", onclick);
  element.append(...children.filter((child) => child !== null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Replace what a container holds. The element that had the focus has it again, if it has the same `data-key`. */
export function fill(container, ...children) {
  const focused = container.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const scrolled = container.scrollTop;
  container.replaceChildren(...children);
  container.scrollTop = scrolled;
  if (focused) container.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}
