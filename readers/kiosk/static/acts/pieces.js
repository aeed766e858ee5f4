// Counting a drawer by coin and note: a row for each, with one more, one less, and the number itself.

import { el, icon } from "../dom.js";
import { formatAmount } from "../money.js";
import { language, t } from "../words.js";

const NOTES = [50000, 20000, 10000, 5000, 2000, 1000, 500];
const COINS = [200, 100, 50, 20, 10, 5, 2, 1];
const MOST = 10_000;

const euros = (cents) => formatAmount(cents, "cent", "€", language);

/** {node, counted(), sum()}: `counted` is how many there are by value in cents, `sum` their worth. */
export function counter() {
  const numbers = new Map();
  const total = el("strong", { className: "pieces-sum", role: "status" }, euros(0));
  const sum = () => [...numbers].reduce((cents, [value, number]) => cents + value * number, 0);
  const set = (value, number, field) => {
    const kept = Math.min(MOST, Math.max(0, Number.isFinite(number) ? Math.trunc(number) : 0));
    if (kept > 0) numbers.set(value, kept);
    else numbers.delete(value);
    if (field) field.value = kept > 0 ? String(kept) : "";
    total.textContent = euros(sum());
  };
  const node = el(
    "div",
    { className: "pieces" },
    group(t("session.notes"), NOTES, set, numbers),
    group(t("session.coins"), COINS, set, numbers),
    el("div", { className: "pieces-total" }, el("span", {}, t("session.sum")), total),
  );
  return { node, counted: () => Object.fromEntries(numbers), sum };
}

function group(label, values, set, numbers) {
  return el("div", { className: "pieces-group", role: "group", aria: { label } }, ...values.map((value) => row(value, set, numbers)));
}

function row(value, set, numbers) {
  const piece = euros(value);
  const field = el("input", {
    className: "pieces-number",
    inputMode: "numeric",
    maxLength: 5,
    autocomplete: "off",
    placeholder: "0",
    aria: { label: piece },
  });
  field.addEventListener("input", () => set(value, Number(field.value.replace(/\D/g, ""))));
  field.addEventListener("focus", () => field.select());
  const step = (more) => set(value, (numbers.get(value) ?? 0) + more, field);
  return el(
    "div",
    { className: "pieces-row" },
    el("span", {}, piece),
    el("button", { className: "pieces-step", aria: { label: t("session.fewer", { piece }) }, onclick: () => step(-1) }, icon("minus")),
    field,
    el("button", { className: "pieces-step", aria: { label: t("session.more", { piece }) }, onclick: () => step(1) }, icon("plus")),
  );
}
