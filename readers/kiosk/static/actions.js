// What staff can do: each action changes the basket or asks the agent, and says so when it could not.

import { fetchCatalogue, post, Refused } from "./api.js";
import { price, priceIn, withMore } from "./basket.js";
import { formatAmount } from "./money.js";
import { change, codes, settle, state, takeCatalogue } from "./store.js";
import { unlock } from "./sound.js";
import { hush, say } from "./toast.js";
import { has, language, t } from "./words.js";

/** Minor units of a currency as text. */
export function money(minor, code) {
  const currency = state.catalogue?.currencies.find((one) => one.code === code);
  return currency ? formatAmount(minor, currency.unit, currency.symbol, language) : `${minor} ${code}`;
}

/** Amounts of several currencies as one text: 11,00 € + 1 h 30. */
export const sum = (amounts) => amounts.map(({ minor, currency }) => money(minor, currency)).join(" + ");

/** Put a product in the basket, as many as the digits typed before it say. */
export function add(id, more = Math.max(1, state.multiplier)) {
  // A new basket has begun: the one that was emptied can't come back over it.
  hush();
  change({ lines: withMore(state.lines, id, more), multiplier: 0, dropped: 0 });
}

export function fewer(id) {
  change({ lines: withMore(state.lines, id, -1) });
}

export function clearBasket() {
  const { lines, currency } = state;
  change({ lines: [], multiplier: 0, dropped: 0 });
  say(t("basket.cleared"), { label: t("undo"), carryOut: () => change({ lines, currency }) });
}

export function canPay() {
  const { screen, catalogue, connected, busy, lines, currency } = state;
  return connected && catalogue !== null && !busy && screen?.phase !== "checking" && lines.length > 0 && currency !== null;
}

export async function pay() {
  if (!canPay()) return;
  unlock();
  // What was said of the try before is no longer so.
  hush();
  // A result that is still shown makes room: the next sale is already typed.
  if (["paid", "refused"].includes(state.screen.phase)) await command("dismiss");
  // A line that has no price in the chosen currency says which one it was shown in.
  const items = state.lines.map(({ product, quantity }) => {
    const currency = priceIn(product, state.products, codes(), state.currency);
    return currency === state.currency ? { product, quantity } : { product, quantity, currency };
  });
  change({ busy: true });
  const answer = await command("pay", { items, currency: state.currency });
  change({ busy: false });
  if (answer) {
    state.asked = answer.sale;
    // The card may have been faster than this answer.
    settle();
  }
}

/** Ask for a card for an act that is no basket. Whether it is asked for; `quietly`: without saying why not. */
export async function perform(name, wish = {}, { quietly = false } = {}) {
  if (!state.connected || state.busy) return false;
  if (!quietly) unlock();
  if (["paid", "refused"].includes(state.screen.phase)) await command("dismiss");
  change({ busy: true });
  const answer = await command("act", { name, wish }, { quietly });
  change({ busy: false });
  return answer !== null;
}

/** Pay a basket that the card could not pay whole: the rest in "cash", by "bank_card", or from a "second_card". */
export async function complete(offer) {
  unlock();
  await command("complete", { offer });
}

export const cancel = () => command("cancel");

/** Close a result here at once, and at the agent. */
export function closeResult() {
  const sale = state.screen?.result?.sale;
  if (!sale) return;
  change({ closed: sale });
  command("dismiss");
}

export async function signOut() {
  change({ past: false, receipt: null, sheet: null });
  await command("sign-out");
}

export async function voidSale({ sale, rest }, reason) {
  if (!(await command("void", { sale, reason }))) return;
  // What staff took themselves, the terminal can't give back.
  say(rest.length > 0 ? t("past.void_done_rest", { amount: sum(rest) }) : t("past.void_done"));
}

export async function refreshCatalogue() {
  try {
    takeCatalogue(await fetchCatalogue());
  } catch {
    // The agent went away between its screen and its catalogue: its next screen asks again.
  }
}

/** What the basket costs where `chosen` is preferred; an empty one costs nothing of it. */
export function basketPrice(chosen = state.currency) {
  if (chosen === null) return [];
  const amounts = price(state.lines, state.products, codes(), chosen);
  return amounts.length > 0 ? amounts : [{ currency: chosen, minor: 0 }];
}

/** Why the agent can't, in words. */
export function inWords(reason) {
  return has(`till.${reason}`) ? t(`till.${reason}`) : t("till.unknown", { reason });
}

export async function command(name, body, { quietly = false } = {}) {
  try {
    return await post(name, body);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (!quietly) say(inWords(error.reason));
    return null;
  }
}
