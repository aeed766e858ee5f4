// The basket by items: what one person pays is charged alone, and the rest is kept for the next.

import { splitByItems, sum } from "../actions.js";
import { costOf, price } from "../basket.js";
import { nameOf } from "../basket_pane.js";
import { el, icon } from "../dom.js";
import { codes, state } from "../store.js";
import { t } from "../words.js";

let picked = [];
let shown = null;

const lines = (of) => state.lines.map((line, place) => ({ ...line, quantity: of(line, place) })).filter(({ quantity }) => quantity > 0);
const mine = () => lines((_, place) => picked[place]);
const others = () => lines((line, place) => line.quantity - picked[place]);

function set(place, more) {
  picked[place] = Math.max(0, Math.min(state.lines[place].quantity, picked[place] + more));
  redraw();
}

function redraw() {
  const amounts = price(mine(), state.products, codes(), state.currency);
  for (const [place, row] of [...shown.rows.children].entries()) {
    row.querySelector(".quantity").textContent = t("split.picked", { picked: picked[place], quantity: state.lines[place].quantity });
    row.classList.toggle("picked", picked[place] > 0);
  }
  shown.charge.querySelector("span").textContent = t("split.charge", { amount: sum(amounts) });
  shown.charge.disabled = mine().length === 0 || others().length === 0;
}

function rowOf(line, place) {
  const product = nameOf(line, state.products);
  const { currency, minor } = costOf(line, state.products, codes(), state.currency);
  const step = (glyph, label, more) =>
    el("button", { className: "step", data: { key: `pick-${place}-${more}` }, aria: { label }, onclick: () => set(place, more) }, icon(glyph));
  return el(
    "li",
    { className: "line pick" },
    step("minus", t("split.one_less", { product }), -1),
    el("span", { className: "quantity" }),
    step("plus", t("split.one_more", { product }), 1),
    el("span", { className: "line-name" }, product),
    el("span", { className: "line-price" }, sum([{ minor, currency }])),
  );
}

export const act = {
  id: "split_items",
  panel() {
    picked = state.lines.map(() => 0);
    const rows = el("ul", { className: "picks" }, ...state.lines.map(rowOf));
    const charge = el(
      "button",
      { className: "amount-action", data: { key: "split-charge" }, onclick: () => splitByItems(mine(), others()) },
      icon("arrow-right"),
      el("span", {}, ""),
    );
    shown = { rows, charge };
    redraw();
    return [el("p", { className: "ways-total" }, t("split.pick")), rows, charge];
  },
};
