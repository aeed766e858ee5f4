// Pay out in cash what is on a card: an amount, or all of it.

import { perform } from "../actions.js";
import { amountPanel, moneys } from "../amount_panel.js";
import { change } from "../store.js";
import { t } from "../words.js";

const paidOut = () => moneys((one) => one.paid_out);

const go = async (currency, amount) => {
  if (await perform("refund", amount ? { currency, amount } : { currency })) change({ sheet: null });
};

export const act = {
  id: "refund",
  icon: "undo",
  right: "refund",
  offline: false,
  reader: true,
  blocked: () => (paidOut().length === 0 ? t("act.refund.none") : null),
  open: () => change({ sheet: "refund" }),
  panel: () =>
    amountPanel({
      currencies: paidOut(),
      choices: [
        { id: "part", icon: "cash", label: t("act.refund.part"), go },
        { id: "all", icon: "card", label: t("act.refund.all"), whole: true, go: (currency) => go(currency, 0) },
      ],
    }),
};
