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

/** The currency that a product is charged in: the chosen one if it has a price in it, else the first of `codes`, else null. */
export function priceIn(id, products, codes, chosen) {
  const { prices } = products.get(id);
  return [chosen, ...codes].find((code) => prices[code] !== undefined) ?? null;
}

/** What the basket costs if `chosen` is preferred: [{currency, minor}], the chosen currency first, then as in `codes`. */
export function price(lines, products, codes, chosen) {
  const costs = new Map([chosen, ...codes].map((code) => [code, 0]));
  for (const { product, quantity } of lines) {
    const code = priceIn(product, products, codes, chosen);
    costs.set(code, costs.get(code) + quantity * products.get(product).prices[code]);
  }
  return [...costs].map(([currency, minor]) => ({ currency, minor })).filter(({ minor }) => minor > 0);
}

/** The lines whose product is still sold, and has a price. */
export function stillSold(lines, products, codes) {
  return lines.filter((line) => products.has(line.product) && priceIn(line.product, products, codes, null) !== null);
}
