// The right third: what is in the basket, what it costs, in which currency, and the means of payment.

import { add, basketPrice, canCharge, canPay, clearBasket, fewer, money, pay, sum, together } from "./actions.js";
import { costOf, keyOf, price } from "./basket.js";
import { againstHand } from "./by_hand.js";
import { byId, el, fill, icon } from "./dom.js";
import { notice } from "./notice.js";
import { show } from "./sheet.js";
import { change, codes, currencies, state } from "./store.js";
import { named, t } from "./words.js";

export function start() {
  byId("clear").addEventListener("click", clearBasket);
  byId("pay").addEventListener("click", pay);
  byId("pay-cash").addEventListener("click", () => show("cash"));
  byId("pay-other").addEventListener("click", () => show("pay_other"));
  byId("together").addEventListener("click", together);
}

export function draw({ screen, catalogue, lines, products, currency }) {
  byId("sell").hidden = !screen?.signed_in;
  if (!screen || !catalogue) return;
  byId("clear").hidden = lines.length === 0;
  drawPays(catalogue);
  const amounts = basketPrice().map(({ minor, currency: code }) => el("span", {}, money(minor, code)));
  fill(byId("total"), ...amounts);
  byId("total").classList.toggle("several", amounts.length > 1);
  const list = byId("lines");
  const grew = lines.length > list.querySelectorAll(".line").length;
  fill(list, ...(lines.length > 0 ? lines.map((line) => lineOf(line, products, currency)) : [nothingYet()]));
  if (grew) list.scrollTop = list.scrollHeight;
  drawCurrencies(lines, currency);
  drawSplit();
  drawNotice();
}

function drawPays(catalogue) {
  const against = againstHand("cash");
  byId("pay").disabled = !canPay();
  byId("pay-other").disabled = !canCharge();
  byId("pay-cash").hidden = !catalogue.means?.includes("cash");
  byId("pay-cash").disabled = !canCharge() || against !== null;
  const why = byId("pay-cash").querySelector("small");
  why.hidden = !canCharge() || against === null;
  why.textContent = against ?? "";
}

// One bill for several: which part is next, or what is left for the others.
function drawSplit() {
  const { bill, later, products, currency } = state;
  byId("split").hidden = bill === null && later.length === 0;
  byId("together").hidden = bill !== null && bill.part > 1;
  if (bill) byId("split-what").textContent = t("bill.part", bill);
  else if (later.length > 0) byId("split-what").textContent = t("bill.later", { amount: sum(price(later, products, codes(), currency)) });
}

function nothingYet() {
  return el("li", { className: "nothing" }, t("basket.empty"));
}

/** What a line is called. */
export function nameOf({ product, kind }, products) {
  if (kind === "tip") return t("act.tip");
  const name = named(products.get(product).names);
  return kind === "back" ? t("tile.back", { product: name }) : name;
}

function lineOf(line, products, currency) {
  const name = nameOf(line, products);
  const { quantity, ...item } = line;
  const key = keyOf(line);
  const cost = costOf(line, products, codes(), currency);
  const step = (way, glyph, label, onclick) =>
    el("button", { className: "step", data: { key: `${way}-${key}` }, aria: { label }, onclick }, icon(glyph));
  return el(
    "li",
    { className: "line" },
    el(
      "span",
      { className: "steps" },
      step("fewer", "minus", t("basket.fewer", { product: name }), () => fewer(item)),
      el("span", { className: "quantity" }, String(quantity)),
      step("more", "plus", t("basket.more", { product: name }), () => add(item, 1)),
    ),
    el(
      "span",
      { className: "line-what" },
      el("span", { className: "line-name" }, name),
      el("span", { className: "line-price" }, money(cost.minor * quantity, cost.currency)),
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
          disabled: state.bill !== null,
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
