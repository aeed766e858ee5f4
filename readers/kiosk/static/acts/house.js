// A gift of the house: nobody pays, and the reason is kept.

import { basketPrice, sum, take } from "../actions.js";
import { el } from "../dom.js";
import { t } from "../words.js";

const REASONS = ["volunteer", "guest", "mistake", "thanks"];

const give = (reason) => take({ means: "house", reason });

export const act = {
  id: "house",
  panel() {
    const other = el("input", { className: "other", maxLength: 200, placeholder: t("past.other"), aria: { label: t("past.other") } });
    const typed = (event) => {
      event.preventDefault();
      if (other.value.trim()) give(other.value.trim());
    };
    const form = el("form", { className: "other-form" }, other, el("button", { className: "chip", onclick: typed }, t("house.give")));
    form.addEventListener("submit", typed);
    return [
      el("p", { className: "ways-total" }, t("house.why", { amount: sum(basketPrice()) })),
      el(
        "div",
        { className: "acts" },
        ...REASONS.map((key) => {
          const reason = t(`act.house.why.${key}`);
          return el("button", { className: "act", data: { key: `house-${key}` }, onclick: () => give(reason) }, el("span", {}, reason));
        }),
      ),
      form,
    ];
  },
};
