// The newest sale that stands, taken back with one press.

import { inWords, voidSale } from "../actions.js";
import { change, state } from "../store.js";
import { t } from "../words.js";

const last = ({ screen }) => screen.last_sales.find((sale) => !sale.voided);

export const act = {
  id: "undo_last",
  icon: "undo",
  right: null,
  offline: true,
  reader: false,
  blocked(now) {
    const sale = last(now);
    if (sale === undefined) return t("past.none");
    return sale.why_not === null ? null : inWords(sale.why_not);
  },
  open() {
    voidSale(last(state), t("past.undone_at_once"));
    change({ sheet: null });
  },
  training: true,
};
