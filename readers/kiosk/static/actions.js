// What staff can do: each action changes the basket or asks the agent, and says so when it could not.

import { fetchCatalogue, post, Refused } from "./api.js";
import { costOf, price, withMore } from "./basket.js";
import { formatAmount } from "./money.js";
import { change, codes, settle, state, takeCatalogue } from "./store.js";
import { unlock } from "./sound.js";
import { hush, say } from "./toast.js";
import { has, language, named, t } from "./words.js";

/** Minor units of a currency as text. */
export function money(minor, code) {
  const currency = state.catalogue?.currencies.find((one) => one.code === code);
  return currency ? formatAmount(minor, currency.unit, currency.symbol, language) : `${minor} ${code}`;
}

export function moneyName(code) {
  return named(state.catalogue.currencies.find((one) => one.code === code)?.names ?? { fr: code });
}

/** Amounts of several currencies as one text: 11,00 € + 1 h 30. What cancels out is nothing of the chosen currency. */
export const sum = (amounts) =>
  amounts.length > 0
    ? amounts.map(({ minor, currency }) => money(minor, currency)).join(" + ")
    : money(0, state.currency ?? codes()[0]);

/** Put something in the basket (see basket.js), as many as the digits typed before it say. Whether it could be. */
export function add(item, more = Math.max(1, state.multiplier)) {
  if (isSplit()) return false;
  // A new basket has begun: the one that was emptied can't come back over it.
  hush();
  change({ lines: withMore(state.lines, item, more), multiplier: 0, dropped: 0 });
  return true;
}

export function fewer(item) {
  if (!isSplit()) change({ lines: withMore(state.lines, item, -1) });
}

/** What is split stays as it is until all of it is paid: says so. */
function isSplit() {
  const split = state.bill !== null || state.later.length > 0;
  if (split) say(t("bill.fixed"));
  return split;
}

export function clearBasket() {
  const { lines, later, bill, currency } = state;
  change({ lines: [], later: [], bill: null, multiplier: 0, dropped: 0 });
  say(t("basket.cleared"), { label: t("undo"), carryOut: () => change({ lines, later, bill, currency }) });
}

/** Begin to charge the basket in equal parts, at the prices of now. */
export function splitInParts(parts) {
  change({ lines: shownLines(), bill: { id: crypto.randomUUID(), part: 1, parts }, sheet: null });
}

/** Charge some of the basket alone: `picked` lines; `later` are the others. */
export function splitByItems(picked, later) {
  change({ lines: picked, later, sheet: null });
}

/** Take a split back; parts of a bill that were paid stay paid, so it can't be once one is. */
export function together() {
  const lines = state.later.reduce((all, { quantity, ...item }) => withMore(all, item, quantity), state.lines);
  change({ lines: lines.map(unpriced), later: [], bill: null });
}

const shownLines = () => state.lines.map((line) => ({ ...line, ...shownPrice(line) }));

function shownPrice(line) {
  const { currency, minor } = costOf(line, state.products, codes(), state.currency);
  return { currency, price: Math.abs(minor) };
}

function unpriced({ price, currency, ...line }) {
  return line.kind === "open" || line.kind === "tip" ? { ...line, price, currency } : line;
}

/** Whether a card may pay the basket: not while this terminal alone may ask no card for more. */
export const canPay = () => canCharge() && !state.screen.no_cards;

/** Whether the basket can be charged at all; what staff take themselves is no risk on any card. */
export function canCharge() {
  const { screen, catalogue, connected, busy, lines, currency } = state;
  return connected && catalogue !== null && !busy && screen?.phase !== "checking" && lines.length > 0 && currency !== null;
}

export const pay = () => charge("pay");

/** Charge the basket without a card: {means, given, reason}. */
export async function take(how) {
  if (await charge("take", how)) change({ sheet: null });
}

async function charge(name, how = {}) {
  if (!(name === "pay" ? canPay() : canCharge())) return false;
  unlock();
  // What was said of the try before is no longer so.
  hush();
  // A result that is still shown makes room: the next sale is already typed.
  if (["paid", "refused"].includes(state.screen.phase)) await command("dismiss");
  change({ busy: true });
  const bill = state.bill ? { bill: state.bill } : {};
  const answer = await command(name, { items: items(), currency: state.currency, ...bill, ...how });
  change({ busy: false });
  if (answer) {
    state.asked = answer.sale;
    // The card may have been faster than this answer.
    settle();
  }
  return answer !== null;
}

/** The basket as the agent takes it, each line with the price that it was shown with. A line that has none in the chosen
 * currency says which one it was shown in. */
export function items() {
  return state.lines.map((line) => {
    const { currency, price } = shownPrice(line);
    const { product, quantity, kind } = line;
    return { product, quantity, price, ...(kind ? { kind } : {}), ...(currency === state.currency ? {} : { currency }) };
  });
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

export async function voidSale({ sale, act, price, card, rest }, reason) {
  if (!(await command("void", { sale, reason }))) return;
  if (act) {
    say(t(act === "top_up" ? `past.undone.top_up.${rest[0].means}` : `past.undone.${act}`, { amount: sum(price) }));
    return;
  }
  // What staff took themselves, the terminal can't give back.
  const out = rest.some(({ minor }) => minor < 0);
  const given = rest.filter(({ means }) => means !== "house");
  const amount = sum(given.map(({ minor, currency }) => ({ minor: Math.abs(minor), currency })));
  if (card) say(given.length > 0 ? t("past.void_done_rest", { amount }) : t("past.void_done"));
  else if (rest.some(({ means }) => means === "house")) say(t("past.void_done_gift"));
  else say(t(out ? "past.void_done_out" : "past.void_done_paid", { amount }));
}

export async function refreshCatalogue() {
  try {
    takeCatalogue(await fetchCatalogue());
  } catch {
    // The agent went away between its screen and its catalogue: its next screen asks again.
  }
}

/** What the basket costs where `chosen` is preferred, or the part of the bill that is next; an empty one costs nothing. */
export function basketPrice(chosen = state.currency) {
  if (chosen === null) return [];
  const amounts = price(state.lines, state.products, codes(), chosen, state.bill);
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
