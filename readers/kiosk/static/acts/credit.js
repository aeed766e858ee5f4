// Hours of a volunteer, a gift or points, put on a card for nothing, with a reason.

import { perform } from "../actions.js";
import { amountPanel, moneys } from "../amount_panel.js";
import { change } from "../store.js";
import { t } from "../words.js";

const KINDS = ["time", "gift", "points"];
const REASONS = { shift: "clock", thanks: "gift", mending: "check" };
const given = () => moneys(({ kind }) => KINDS.includes(kind));

const go = (reason) => async (currency, amount) => {
  if (await perform("credit", { currency, amount, reason })) change({ sheet: null });
};

export const act = {
  id: "credit",
  icon: "gift",
  right: "credit",
  offline: false,
  reader: true,
  blocked: () => (given().length === 0 ? t("act.no_money") : null),
  open: () => change({ sheet: "credit" }),
  panel: () =>
    amountPanel({
      currencies: given(),
      choices: Object.entries(REASONS).map(([why, icon]) => {
        const label = t(`act.credit.why.${why}`);
        return { id: why, icon, label, go: go(label) };
      }),
    }),
};
