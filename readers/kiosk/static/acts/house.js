// A gift of the house: nobody pays, and the reason is kept.

import { basketPrice, sum, take } from "../actions.js";
import { el } from "../dom.js";
import { t } from "../words.js";

const REASONS = ["volunteer", "guest", "mistake", "thanks"];

const give = (reason) => take({ means: "house", reason });

/** Why the house gives this amount: a reason of the usual ones, or one that is typed. */
export function reasons(amount, chosen) {
  const other = el("input", { className: "other", maxLength: 200, placeholder: t("past.other"), aria: { label: t("past.other") } });
  const typed = (event) => {
    event.preventDefault();
    if (other.value.trim()) chosen(other.value.trim());
  };
  const form = el("form", { className: "other-form" }, other, el("button", { className: "chip", onclick: typed }, t("house.give")));
  form.addEventListener("submit", typed);
  const usual = REASONS.map((key) => {
    const reason = t(`act.house.why.${key}`);
    return el("button", { className: "act", data: { key: `house-${key}` }, onclick: () => chosen(reason) }, el("span", {}, reason));
  });
  return [el("p", { className: "ways-total" }, t("house.why", { amount })), el("div", { className: "acts" }, ...usual), form];
}

export const act = {
  id: "house",
  panel: () => reasons(sum(basketPrice()), give),
};
