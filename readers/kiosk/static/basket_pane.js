// The right third: what is in the basket, what it costs, in which currency, and the means of payment.

import { add, basketPrice, canPay, clearBasket, fewer, money, pay, sum } from "./actions.js";
import { priceIn } from "./basket.js";
import { byId, el, fill, icon } from "./dom.js";
import { notice } from "./notice.js";
import { change, codes, currencies, state } from "./store.js";
import { named, t } from "./words.js";

export function start() {
  byId("clear").addEventListener("click", clearBasket);
  byId("pay").addEventListener("click", pay);
}

export function draw({ screen, catalogue, lines, products, currency }) {
  byId("sell").hidden = !screen?.signed_in;
  if (!screen || !catalogue) return;
  byId("clear").hidden = lines.length === 0;
  byId("pay").disabled = !canPay();
  const amounts = basketPrice().map(({ minor, currency: code }) => el("span", {}, money(minor, code)));
  fill(byId("total"), ...amounts);
  byId("total").classList.toggle("several", amounts.length > 1);
  const list = byId("lines");
  const grew = lines.length > list.querySelectorAll(".line").length;
  fill(list, ...(lines.length > 0 ? lines.map((line) => lineOf(line, products, currency)) : [nothingYet()]));
  if (grew) list.scrollTop = list.scrollHeight;
  drawCurrencies(lines, currency);
  drawNotice();
}

function nothingYet() {
  return el("li", { className: "nothing" }, t("basket.empty"));
}

function lineOf({ product, quantity }, products, currency) {
  const name = named(products.get(product).names);
  const code = priceIn(product, products, codes(), currency);
  const price = products.get(product).prices[code];
  const step = (key, glyph, label, onclick) =>
    el("button", { className: "step", data: { key: `${key}-${product}` }, aria: { label }, onclick }, icon(glyph));
  return el(
    "li",
    { className: "line" },
    el(
      "span",
      { className: "steps" },
      step("fewer", "minus", t("basket.fewer", { product: name }), () => fewer(product)),
      el("span", { className: "quantity" }, String(quantity)),
      step("more", "plus", t("basket.more", { product: name }), () => add(product, 1)),
    ),
    el(
      "span",
      { className: "line-what" },
      el("span", { className: "line-name" }, name),
      el("span", { className: "line-price" }, money(price * quantity, code)),
    ),
  );
}

// Each choice says what the basket costs by it, so that staff can tell the customer before any card is shown.
function drawCurrencies(lines, currency) {
  const all = currencies();
  byId("currencies").hidden = all.length < 2;
  fill(
    byId("currencies"),
    ...all.map((one) =>
      el(
        "button",
        {
          className: "currency",
          data: { key: `currency-${one.code}` },
          aria: { pressed: String(one.code === currency) },
          onclick: () => change({ currency: one.code }),
        },
        el("span", { className: "currency-name" }, named(one.names)),
        lines.length > 0 ? el("span", { className: "currency-price" }, sum(basketPrice(one.code))) : null,
      ),
    ),
  );
}

function drawNotice() {
  const line = byId("notice");
  const told = notice(state);
  line.hidden = told === null;
  const text = told ? `${told.kind} ${told.text}` : "";
  // A line that says the same is left alone: a screen reader would say it again.
  if (line.dataset.told === text) return;
  line.dataset.told = text;
  line.className = `notice-line ${told?.kind ?? ""}`;
  fill(line, ...(told ? [icon(told.icon), el("span", {}, told.text)] : []));
}
