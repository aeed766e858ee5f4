// A panel that asks for an amount: of which money, how much (by chips and keys), and then what to do with it.

import { money } from "./actions.js";
import { el, icon } from "./dom.js";
import { state } from "./store.js";
import { named, t } from "./words.js";

const MINOR_MAX = 99_999_99;
// Minor units: 5, 10, 20, 50 of money; 30 min to 4 h; points.
const CHIPS = { cent: [500, 1000, 2000, 5000], minute: [30, 60, 120, 240], point: [1, 5, 10, 20] };

/** The moneys of the catalogue that `suits` says yes to. */
export const moneys = (suits) => (state.catalogue?.currencies ?? []).filter(suits);

/**
 * The nodes of the panel. `choices`: [{id, icon, label, whole, go(currency, amount)}]; a `whole` one needs no amount.
 * `above` stands over the amount, `before` over the choices; `changed(amount, currency)` is told of every amount, and says of each choice whether
 * it can be made (undefined: as the amount says).
 */
export function amountPanel({ currencies, choices, above = null, before = null, changed = () => undefined }) {
  let chosen = currencies[0];
  let amount = 0;
  const shown = el("output", { className: "amount-shown" });
  const pick = el("div", { className: "amount-moneys", role: "group" });
  const chips = el("div", { className: "amount-chips" });
  const keys = el("div", { className: "amount-keys" });
  const actions = el("div", { className: "amount-actions" });

  const set = (minor) => {
    amount = Math.max(0, Math.min(MINOR_MAX, minor));
    draw();
  };
  const draw = () => {
    shown.textContent = money(amount, chosen.code);
    for (const button of pick.children) button.setAttribute("aria-pressed", String(button.dataset.key === chosen.code));
    const may = changed(amount, chosen.code);
    for (const button of actions.children) button.disabled = !(may ?? (amount > 0 || Boolean(button.dataset.whole)));
  };
  const choose = (currency) => {
    chosen = currency;
    amount = 0;
    chips.replaceChildren(
      ...CHIPS[currency.unit].map((minor) =>
        el("button", { className: "chip", data: { key: `chip-${minor}` }, onclick: () => set(amount + minor) }, `+ ${money(minor, currency.code)}`),
      ),
    );
    draw();
  };
  const key = (text, onclick) => el("button", { className: "key", data: { key: text }, onclick }, text);
  const digit = (one) => key(one, () => set(amount * 10 + Number(one)));
  keys.append(
    ...[..."123456789"].map(digit),
    key("00", () => set(amount * 100)),
    digit("0"),
    el("button", { className: "key", aria: { label: t("amount.erase") }, onclick: () => set(Math.floor(amount / 10)) }, icon("erase")),
  );
  if (currencies.length > 1) {
    pick.append(
      ...currencies.map((one) =>
        el("button", { className: "currency", data: { key: one.code }, onclick: () => choose(one) }, named(one.names)),
      ),
    );
  }
  actions.append(
    ...choices.map((one) =>
      el(
        "button",
        {
          className: "amount-action",
          data: { key: one.id, ...(one.whole ? { whole: "yes" } : {}) },
          onclick: () => one.go(chosen.code, amount),
        },
        icon(one.icon),
        el("span", {}, one.label),
      ),
    ),
  );
  choose(chosen);
  const left = [pick, above, shown, chips, before, actions].filter((node) => node !== null);
  return [el("div", { className: "amount" }, el("div", { className: "amount-left" }, ...left), keys)];
}
