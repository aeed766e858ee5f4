// A product whose price staff type: what is sold by weight, or for what people give.

import { add, money } from "../actions.js";
import { amountPanel } from "../amount_panel.js";
import { priceIn } from "../basket.js";
import { el } from "../dom.js";
import { change, codes, state } from "../store.js";
import { named, t } from "../words.js";

export const act = {
  id: "open_price",
  panel() {
    const { id, names, prices } = state.typing;
    const code = priceIn(id, state.products, codes(), state.currency);
    const into = (item) => {
      if (add(item)) change({ sheet: null });
    };
    const typed = {
      id: "open-add",
      icon: "plus",
      label: t("open_price.add"),
      go: (currency, price) => into({ product: id, kind: "open", price, currency }),
    };
    const usual = code === null ? [] : [
      { id: "open-usual", icon: "check", label: t("open_price.usual", { amount: money(prices[code], code) }), whole: true, go: () => into({ product: id }) },
    ];
    return amountPanel({
      currencies: state.catalogue.currencies.filter((one) => one.code === state.currency),
      above: el("p", { className: "ways-total" }, t("open_price.of", { product: named(names) })),
      choices: [typed, ...usual],
    });
  },
};
