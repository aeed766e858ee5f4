// Put money on a card: the venue takes cash, or uses its own card machine.

import { perform } from "../actions.js";
import { amountPanel, moneys } from "../amount_panel.js";
import { change } from "../store.js";
import { t } from "../words.js";

const bought = () => moneys(({ kind }) => kind === "pegged");

const go = (means) => async (currency, amount) => {
  if (await perform("top_up", { currency, amount, means })) change({ sheet: null });
};

export const act = {
  id: "top_up",
  icon: "euro",
  right: "top_up",
  offline: ({ screen }) => screen.offline_acts.includes("top_up"),
  reader: true,
  blocked: () => (bought().length === 0 ? t("act.no_money") : null),
  open: () => change({ sheet: "top_up" }),
  panel: () =>
    amountPanel({
      currencies: bought(),
      choices: [
        { id: "cash", icon: "cash", label: t("act.top_up.cash"), go: go("cash") },
        { id: "bank_card", icon: "card", label: t("act.top_up.bank_card"), go: go("bank_card") },
      ],
    }),
};
