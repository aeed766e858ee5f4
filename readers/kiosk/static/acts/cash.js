// Cash: what is due, what was handed over, and the change; or what is given out for cups that came back.

import { basketPrice, canCharge, money, take } from "../actions.js";
import { amountPanel } from "../amount_panel.js";
import { againstHand, centsOf, due } from "../by_hand.js";
import { el, icon } from "../dom.js";
import { change, state } from "../store.js";
import { t } from "../words.js";

// Change is counted in the money of the prices where there is one; of several, in the first that counts in cents.
function unit() {
  const amounts = basketPrice();
  const euros = state.catalogue.currencies.find(({ cents }) => cents === 1);
  const code = amounts.length === 1 ? amounts[0].currency : (euros?.code ?? amounts[0].currency);
  return state.catalogue.currencies.find((one) => one.code === code);
}

function given() {
  const code = unit().code;
  const minor = Math.round(due() / (centsOf(code) ?? 1));
  const single = basketPrice().length === 1;
  const due_ = el("output", {}, money(minor, code));
  const label = el("span", {}, "");
  const back = el("output", {}, "");
  const above = el("dl", { className: "change" }, el("dt", {}, t("change.due")), el("dd", {}, due_));
  const before = el("dl", { className: "change" }, el("dt", {}, label), el("dd", {}, back));
  const changed = (amount) => {
    const short = amount > 0 && amount < minor;
    label.textContent = t(short ? "change.missing" : "change.back");
    back.textContent = money(amount === 0 ? 0 : Math.abs(amount - minor), code);
    before.classList.toggle("short", short);
    const text = amount === 0 ? t("change.exact") : t("change.received", { amount: money(amount, code) });
    const named = document.querySelector("[data-key=take-cash] span");
    if (named) named.textContent = text;
    return !short;
  };
  const go = (_, amount) => take({ means: "cash", ...(single && amount > 0 ? { given: amount } : {}) });
  return amountPanel({
    currencies: [unit()],
    above,
    before,
    changed,
    choices: [{ id: "take-cash", icon: "cash", label: t("change.exact"), whole: true, go }],
  });
}

function out() {
  const amount = money(-due(), unit().code);
  return [
    el(
      "div",
      { className: "amount-left" },
      el("dl", { className: "change" }, el("dt", {}, t("change.out")), el("dd", {}, el("output", {}, amount))),
      el(
        "button",
        { className: "amount-action", data: { key: "take-cash" }, onclick: () => take({ means: "cash" }) },
        icon("cash"),
        el("span", {}, t("change.given", { amount })),
      ),
    ),
  ];
}

export const act = {
  id: "cash",
  panel: () => (due() < 0 ? out() : given()),
  draw: () => {
    if (!canCharge() && !state.busy) change({ sheet: null });
    else if (againstHand("cash") !== null) change({ sheet: null });
  },
};
