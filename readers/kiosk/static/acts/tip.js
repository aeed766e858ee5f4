// A tip: it goes into the basket and is paid with it.

import { add } from "../actions.js";
import { amountPanel } from "../amount_panel.js";
import { tipOf } from "../basket.js";
import { show } from "../sheet.js";
import { change, state } from "../store.js";
import { t } from "../words.js";

export const act = {
  id: "tip",
  icon: "euro",
  right: null,
  offline: true,
  reader: false,
  training: true,
  blocked: (now) => (now.currency === null ? t("act.no_money") : now.bill || now.later.length > 0 ? t("bill.fixed") : null),
  open: () => show("tip"),
  panel: () =>
    amountPanel({
      currencies: state.catalogue.currencies.filter((one) => one.code === state.currency),
      choices: [
        {
          id: "tip-add",
          icon: "plus",
          label: t("open_price.add"),
          go(currency, price) {
            if (add(tipOf(price, currency), 1)) change({ sheet: null });
          },
        },
      ],
    }),
};
