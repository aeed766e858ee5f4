// A short message at the bottom, for a few seconds, with at most one thing to do about it.

import { byId, el, icon } from "./dom.js";

const SHOWN_MS = 7000;
let hiding;

/** Say something. `action`: {label, carryOut}, an undo. */
export function say(text, action = null) {
  const toast = byId("toast");
  const button =
    action && el("button", { className: "toast-action", onclick: () => (hush(), action.carryOut()) }, icon("undo"), action.label);
  toast.replaceChildren(el("span", {}, text), ...(button ? [button] : []));
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(hush, SHOWN_MS);
}

export function hush() {
  clearTimeout(hiding);
  byId("toast").hidden = true;
}
