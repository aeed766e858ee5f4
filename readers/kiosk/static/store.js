// What the page knows, in one place. Views draw from `state` and are told of every change; nothing else is remembered.

import { stillSold } from "./basket.js";

const KEPT = "comptoir-basket";

export const state = {
  screen: null, // the agent's screen, as it sent it last
  catalogue: null, // {version, currencies, products}
  products: new Map(), // the catalogue's products by id
  connected: false, // does the agent answer?
  lines: [], // the basket
  currency: null, // the code to pay in, where a product has a price in it
  category: null, // the tab; null: all products
  multiplier: 0, // digits typed before a product; 0: none
  past: false, // is the list of last sales open?
  receipt: null, // the receipt that is shown: {sale, number, address, text, asText}
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
  sessionStorage.setItem(KEPT, JSON.stringify({ lines: state.lines, currency: state.currency, asked: state.asked }));
  for (const draw of views) draw(state);
}

/** The basket as it was before the page was loaded again: a change of language or a crash must not lose a round. */
export function recall() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  Object.assign(state, { lines: kept.lines ?? [], currency: kept.currency ?? null, asked: kept.asked ?? null });
}

/** The currencies in which anything is sold here. */
export function currencies() {
  const products = [...state.products.values()];
  return (state.catalogue?.currencies ?? []).filter(({ code }) => products.some((one) => one.prices[code] !== undefined));
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
  change(asked !== null && paid ? { lines: [], asked: null, multiplier: 0 } : {});
}

function isPast(screen, asked) {
  return screen?.last_sales.some((past) => past.asked === asked) ?? false;
}
