// What staff can do: each action changes the basket or asks the agent, and says so when it could not.

import { fetchCatalogue, post, Refused } from "./api.js";
import { currencyFor, total, withMore } from "./basket.js";
import { formatAmount } from "./money.js";
import { change, currencies, settle, state, takeCatalogue } from "./store.js";
import { unlock } from "./sound.js";
import { hush, say } from "./toast.js";
import { has, language, named, t } from "./words.js";

/** Minor units of a currency as text. */
export function money(minor, code) {
  const currency = state.catalogue?.currencies.find((one) => one.code === code);
  return currency ? formatAmount(minor, currency.unit, currency.symbol, language) : `${minor} ${code}`;
}

/** Put a product in the basket, as many as the digits typed before it say. The currency follows if it must. */
export function add(id, more = Math.max(1, state.multiplier)) {
  const ids = [...new Set([...state.lines.map((line) => line.product), id])];
  const codes = currencies().map(({ code }) => code);
  const currency = currencyFor(ids, state.products, codes, state.currency);
  if (currency === null) {
    say(t("basket.no_common_currency", { product: named(state.products.get(id).names) }));
    return;
  }
  // A new basket has begun: the one that was emptied can't come back over it.
  hush();
  change({ lines: withMore(state.lines, id, more), currency, multiplier: 0, dropped: 0 });
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
  // A result that is still shown makes room: the next sale is already typed.
  if (["paid", "refused"].includes(state.screen.phase)) await command("dismiss");
  const items = state.lines.map(({ product, quantity }) => ({ product, quantity }));
  change({ busy: true });
  const answer = await command("pay", { items, currency: state.currency });
  change({ busy: false });
  if (answer) {
    state.asked = answer.sale;
    // The card may have been faster than this answer.
    settle();
  }
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
  change({ past: false });
  await command("sign-out");
}

export async function voidSale(sale, reason) {
  if (await command("void", { sale, reason })) say(t("past.void_done"));
}

export async function refreshCatalogue() {
  try {
    takeCatalogue(await fetchCatalogue());
  } catch {
    // The agent went away between its screen and its catalogue: its next screen asks again.
  }
}

export function basketTotal() {
  return state.currency === null ? "" : money(total(state.lines, state.products, state.currency), state.currency);
}

/** Why the agent can't, in words. */
export function inWords(reason) {
  return has(`till.${reason}`) ? t(`till.${reason}`) : t("till.unknown", { reason });
}

async function command(name, body) {
  try {
    return await post(name, body);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(inWords(error.reason));
    return null;
  }
}
