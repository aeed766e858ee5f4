// What staff typed: lines of {product, quantity, kind, price, currency}, in the order they came. Pure functions; a basket is
// never changed in place. `products` is a Map of the catalogue's products by id; their `prices` are minor units by currency.
//
//   kind      "back": a deposit that comes back; "open": staff typed the price; "tip": no product; undefined: as it is sold
//   price     of one, in `currency`: typed, or kept while a bill is paid in parts; undefined: what the catalogue says

const QUANTITY_MAX = 999;
const NO_PRODUCT = "00000000-0000-0000-0000-000000000000";

/** What tells lines apart. A price that was typed twice is one line. */
export function keyOf({ product, kind, price, currency }) {
  if (kind === "tip" || kind === "open") return [product, kind, price, currency].join(":");
  return kind ? `${product}:${kind}` : product;
}

/** The basket with `more` (or, below 0, fewer) of `item`: a line without its quantity. One that reaches 0 is gone. */
export function withMore(lines, item, more) {
  const key = keyOf(item);
  const before = lines.find((line) => keyOf(line) === key);
  const quantity = Math.max(0, Math.min(QUANTITY_MAX, (before?.quantity ?? 0) + more));
  if (!before) return quantity === 0 ? lines : [...lines, { ...item, quantity }];
  return lines.map((line) => (line === before ? { ...line, quantity } : line)).filter((line) => line.quantity > 0);
}

/** How many of a tile's product are in the basket; of a deposit, of those that go out, or come back. */
export function quantityOf(lines, product, kind) {
  const ofTile = lines.filter((line) => line.product === product && (line.kind === "back") === (kind === "back"));
  return ofTile.reduce((sum, line) => sum + line.quantity, 0);
}

export const tipOf = (price, currency) => ({ product: NO_PRODUCT, kind: "tip", price, currency });

/** The currency that a product is charged in: the chosen one if it has a price in it, else the first of `codes`, else null. */
export function priceIn(id, products, codes, chosen) {
  const { prices } = products.get(id);
  return [chosen, ...codes].find((code) => prices[code] !== undefined) ?? null;
}

/** What one of a line costs: {currency, minor}, below 0 for what comes back. */
export function costOf(line, products, codes, chosen) {
  const product = products.get(line.product);
  const currency = line.currency ?? priceIn(line.product, products, codes, chosen);
  const price = line.price ?? product.prices[currency];
  return { currency, minor: line.kind === "back" || product?.kind === "return" ? -price : price };
}

/** What the basket costs if `chosen` is preferred: [{currency, minor}], the chosen currency first, then as in `codes`. Of a
 * `bill`, what its part {part, parts} comes to. */
export function price(lines, products, codes, chosen, bill = null) {
  const costs = new Map([chosen, ...codes].map((code) => [code, 0]));
  const share = bill ? shares(bill) : (total) => total;
  for (const line of lines) {
    const { currency, minor } = costOf(line, products, codes, chosen);
    costs.set(currency, (costs.get(currency) ?? 0) + share(line.quantity * minor, currency));
  }
  return [...costs].map(([currency, minor]) => ({ currency, minor })).filter(({ minor }) => minor !== 0);
}

/** As app.rules.bill.equal_parts: what one part pays of each line's total, line after line. */
function shares({ part, parts }) {
  const next = new Map();
  return (total, currency) => {
    const less = Math.floor(total / parts);
    const over = total - less * parts;
    const start = next.get(currency) ?? 0;
    next.set(currency, (start + over) % parts);
    return less + ((part - 1 - start + parts) % parts < over ? 1 : 0);
  };
}

/** The lines whose product is still sold, and has a price; tips are. */
export function stillSold(lines, products, codes) {
  return lines.filter((line) => {
    if (line.kind === "tip") return codes.includes(line.currency);
    if (!products.has(line.product)) return false;
    return line.price !== undefined || priceIn(line.product, products, codes, null) !== null;
  });
}
