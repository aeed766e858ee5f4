// The basket in equal parts: each is a sale of its own, paid in any way, and together they come to the bill to the cent.

import { basketPrice, money, splitInParts, sum } from "../actions.js";
import { price } from "../basket.js";
import { el } from "../dom.js";
import { codes, state } from "../store.js";
import { t } from "../words.js";

const MOST = 12;

// The first part pays the most, the last one the least: a minor unit apart.
function partsOf(parts) {
  const of = (part) => price(state.lines, state.products, codes(), state.currency, { part, parts });
  const [more, less] = [of(1), of(parts)];
  if (sum(more) === sum(less)) return t("split.of", { amount: sum(more) });
  const both = more.length === 1 && less.length === 1;
  return both
    ? t("split.between", { less: money(less[0].minor, less[0].currency), more: money(more[0].minor, more[0].currency) })
    : t("split.of", { amount: sum(more) });
}

export const act = {
  id: "split",
  panel: () => [
    el("p", { className: "ways-total" }, `${t("split.how_many")} ${sum(basketPrice())}`),
    el(
      "div",
      { className: "acts parts" },
      ...Array.from({ length: MOST - 1 }, (_, place) => place + 2).map((parts) =>
        el(
          "button",
          { className: "act", data: { key: `parts-${parts}` }, onclick: () => splitInParts(parts) },
          el("span", {}, t("split.parts", { count: parts })),
          el("small", {}, partsOf(parts)),
        ),
      ),
    ),
  ],
};
