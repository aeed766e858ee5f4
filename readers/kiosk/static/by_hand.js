// What the venue takes itself, or gives away: by which means the basket can be paid without a card, and why not.

import { basketPrice } from "./actions.js";
import { state } from "./store.js";
import { t } from "./words.js";

const OWN_MONEY_ONLY = new Set(["deposit", "tip"]);

/** Why the basket can't be paid by these means, in words; null when it can. */
export function againstHand(means) {
  const amounts = basketPrice();
  if (amounts.some(({ minor, currency }) => minor !== 0 && centsOf(currency) === null)) return t("need.card_only");
  if (means === "house" && (state.lines.some(isOwn) || due() === 0)) return t("need.no_gift");
  if (means !== "cash" && due() < 0) return t("need.cash_only");
  return null;
}

const isOwn = ({ product, kind }) => OWN_MONEY_ONLY.has(kind ?? state.products.get(product)?.kind) || kind === "back";

/** Euro cents that a minor unit is priced at; null for what has no price in euros. */
export const centsOf = (code) => state.catalogue?.currencies.find((one) => one.code === code)?.cents ?? null;

/** What the basket comes to in euro cents; below 0, what is given out. */
export function due() {
  return basketPrice().reduce((sum, { minor, currency }) => sum + minor * (centsOf(currency) ?? 0), 0);
}
