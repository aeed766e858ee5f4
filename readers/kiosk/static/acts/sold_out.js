// What is sold out at the venue, or there again: one touch for each product.

import { command } from "../actions.js";
import { byId, el, fill } from "../dom.js";
import { show } from "../sheet.js";
import { state } from "../store.js";
import { named, t } from "../words.js";

function draw() {
  const body = byId("sold-out-list");
  if (!body || !state.catalogue) return;
  const key = JSON.stringify([state.catalogue.version, state.connected]);
  if (body.dataset.built === key) return;
  body.dataset.built = key;
  fill(body, ...state.catalogue.products.map(switchOf));
}

function switchOf({ id, names, category, sold_out: gone }) {
  return el(
    "button",
    {
      className: "act switch",
      data: { key: `sold-out-${id}` },
      aria: { pressed: String(gone) },
      disabled: !state.connected,
      onclick: () => command("sold-out", { product: id, sold_out: !gone }),
    },
    el("span", {}, named(names)),
    el("small", {}, gone ? t("sold_out") : category),
  );
}

export const act = {
  id: "sold_out",
  icon: "block",
  right: "sold_out",
  offline: true,
  reader: false,
  open: () => show("sold_out"),
  panel: () => [el("p", { className: "ways-total" }, t("sold_out.hint")), el("div", { id: "sold-out-list", className: "acts" })],
  draw,
};
