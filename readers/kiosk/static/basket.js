// What staff typed: lines of {product, quantity}, in the order they came. Pure functions; a basket is never changed in place.
// `products` is a Map of the catalogue's products by id; their `prices` are minor units by currency.

const QUANTITY_MAX = 999;

/** The basket with `more` (or, below 0, fewer) of a product. A line that reaches 0 is gone. */
export function withMore(lines, product, more) {
  const before = quantityOf(lines, product);
  const quantity = Math.max(0, Math.min(QUANTITY_MAX, before + more));
  if (before === 0) return quantity === 0 ? lines : [...lines, { product, quantity }];
  return lines
    .map((line) => (line.product === product ? { product, quantity } : line))
    .filter((line) => line.quantity > 0);
}

export function quantityOf(lines, product) {
  return lines.find((line) => line.product === product)?.quantity ?? 0;
}

/** What the basket costs in a currency, in minor units; every line must have a price in it. */
export function total(lines, products, currency) {
  return lines.reduce((sum, line) => sum + line.quantity * products.get(line.product).prices[currency], 0);
}

/** Can all of these products be paid in this currency? */
export function payableIn(ids, products, currency) {
  return ids.every((id) => products.get(id)?.prices[currency] !== undefined);
}

/** The currency for these products: the one in use if it serves them all, else the first that does, else null. */
export function currencyFor(ids, products, codes, current) {
  if (codes.includes(current) && payableIn(ids, products, current)) return current;
  return codes.find((code) => payableIn(ids, products, code)) ?? null;
}

/** The lines whose product is still sold. */
export function stillSold(lines, products) {
  return lines.filter((line) => products.has(line.product));
}
