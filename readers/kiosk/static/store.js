// What the page knows, in one place. Views draw from `state` and are told of every change; nothing else is remembered.

import { stillSold } from "./basket.js";

const KEPT = "comptoir-basket";

export const state = {
  screen: null, // the agent's screen, as it sent it last
  catalogue: null, // {version, currencies, products}
  products: new Map(), // the catalogue's products by id
  connected: false, // does the agent answer?
  lines: [], // the basket
  later: [], // what of the basket another payer has still to pay, while it is split by items
  bill: null, // {id, part, parts}: the basket is paid in equal parts, and this one is next
  typing: null, // the product whose price is being typed
  currency: null, // the code to pay in, where a product has a price in it
  category: null, // the tab; null: all products
  multiplier: 0, // digits typed before a product; 0: none
  past: false, // is the list of last sales open?
  receipt: null, // the receipt that is shown: {sale, number, address, text, tickets, of}, `of` as its code is asked for
  sheet: null, // "tiles", the id of an act whose panel is open, or null
  busy: false, // a payment is being asked for
  asked: null, // the id of the sale that the basket was last asked to pay
  closed: null, // the id of a sale whose result staff closed, shown by the agent a little longer
  last: null, // how the last tap ended, kept when the agent shows it no more
  dropped: 0, // how many lines left the basket because they are sold no more
};

const views = [];

/** Call `draw(state)` now and after every change. */
export function onChange(draw) {
  views.push(draw);
}

export function change(patch) {
  Object.assign(state, patch);
  const { lines, later, bill, currency, asked } = state;
  sessionStorage.setItem(KEPT, JSON.stringify({ lines, later, bill, currency, asked }));
  for (const draw of views) draw(state);
}

/** The basket as it was before the page was loaded again: a change of language or a crash must not lose a round. */
export function recall() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  const { lines = [], later = [], bill = null, currency = null, asked = null } = kept;
  Object.assign(state, { lines, later, bill, currency, asked });
}

/** The currencies in which anything is sold here. Where nothing has a price yet, all: one may be typed. */
export function currencies() {
  const products = [...state.products.values()];
  const all = state.catalogue?.currencies ?? [];
  const priced = all.filter(({ code }) => products.some((one) => one.prices[code] !== undefined));
  return priced.length > 0 || !products.some((one) => one.open_price) ? priced : all;
}

/** Their codes: what is priced in euros first, as the agent lists them. */
export const codes = () => currencies().map(({ code }) => code);

/** Take a new catalogue: what is sold no more leaves the basket. */
export function takeCatalogue(catalogue) {
  const products = new Map(catalogue.products.map((product) => [product.id, product]));
  Object.assign(state, { catalogue, products });
  const lines = stillSold(state.lines, products, codes());
  const category = catalogue.products.some((product) => product.category === state.category) ? state.category : null;
  change({
    lines,
    later: stillSold(state.later, products, codes()),
    currency: codes().includes(state.currency) ? state.currency : (codes()[0] ?? null),
    category,
    dropped: state.lines.length - lines.length,
  });
}

/** Take a new screen. A sale that was paid empties the basket it came from, even if its result was not seen. */
export function takeScreen(screen) {
  Object.assign(state, { screen, connected: true, last: screen.result ?? state.last });
  settle();
}

export function settle() {
  const { screen, asked } = state;
  const paid = screen?.result?.asked === asked ? screen.result.reason === null : isPast(screen, asked);
  change(asked !== null && paid ? { ...afterPaid(state), asked: null, multiplier: 0 } : {});
}

/** What is left to charge: the next part of a bill, what was put aside for the others, or nothing. */
function afterPaid({ lines, later, bill }) {
  if (bill && bill.part < bill.parts) return { lines, bill: { ...bill, part: bill.part + 1 } };
  return { lines: later, later: [], bill: null };
}

function isPast(screen, asked) {
  return screen?.last_sales.some((past) => past.asked === asked) ?? false;
}
