// What was done last at this terminal, sales and acts with cards, and how to undo one: its reason is chosen where it
// stands, and undoes it.

import { inWords, sum, voidSale } from "./actions.js";
import { byId, el, fill, icon } from "./dom.js";
import { openReceipt } from "./receipt.js";
import { change } from "./store.js";
import { clock, t } from "./words.js";

// By the name of an act, as on its own button.
const ICONS = { top_up: "euro", refund: "undo", credit: "gift" };
const REASONS = { sale: ["typing", "left", "missing"], act: ["typing", "wrong_card", "wrong_amount"] };
let voiding = null;
let latest = null;
let built = "";

export function start() {
  byId("close-past").addEventListener("click", () => change({ past: false }));
}

export function draw({ screen, past, catalogue, connected }) {
  byId("past").hidden = !past;
  if (!past) {
    voiding = null;
    built = "";
    return;
  }
  latest = { screen, catalogue, connected };
  const key = JSON.stringify([screen.last_sales, voiding, connected, catalogue?.version]);
  // A reason that is being typed must survive a change elsewhere on the screen.
  if (key === built) return;
  built = key;
  const rows = screen.last_sales.map((sale) => rowOf(sale, connected));
  drawUndo(screen, connected);
  fill(byId("past-list"), ...(rows.length > 0 ? rows : [el("li", { className: "nothing" }, t("past.none"))]));
}

// The newest sale that stands, taken back with one press.
function drawUndo(screen, connected) {
  const last = screen.last_sales.find((sale) => !sale.voided);
  const button = byId("undo-last");
  button.hidden = last === undefined;
  if (last === undefined) return;
  fill(button, icon("undo"), el("span", {}, t(last.act ? `past.undo_last.${last.act}` : "past.undo_last", { amount: sum(last.price) })));
  button.disabled = !connected || last.why_not !== null;
  button.onclick = () => voidSale(last, t("past.undone_at_once"));
}

function ask(sale) {
  voiding = sale;
  draw({ ...latest, past: true });
  byId("past-list").querySelector(".chip")?.focus();
}

function rowOf(sale, connected) {
  const marks = [
    sale.offline ? el("span", { className: "mark calm" }, icon("offline"), t("past.offline")) : null,
    sale.voided ? el("span", { className: "mark" }, icon("undo"), t("past.voided")) : null,
  ];
  const receiptButton = sale.act && sale.act !== "top_up" ? null : el(
    "button",
    {
      className: "tool bordered",
      data: { key: `receipt-${sale.sale}` },
      disabled: !connected,
      onclick: () => openReceipt(sale.sale),
    },
    icon("receipt"),
    t("receipt.open"),
  );
  const open = voiding === sale.sale;
  const voidButton =
    sale.voided || open
      ? null
      : el(
          "button",
          {
            className: "tool bordered",
            data: { key: `void-${sale.sale}` },
            disabled: !connected || sale.why_not !== null,
            onclick: () => ask(sale.sale),
          },
          icon("undo"),
          t(sale.act ? "past.act.void" : "past.void"),
        );
  return el(
    "li",
    { className: `past-row ${sale.voided ? "voided" : ""}` },
    el("span", { className: "past-time" }, clock(sale.at_us)),
    el(
      "span",
      { className: "past-what" },
      sale.act ? el("span", { className: "past-act" }, icon(ICONS[sale.act]), actOf(sale)) : el("span", {}, linesOf(sale)),
      !sale.voided && sale.why_not ? el("span", { className: "past-why-not" }, inWords(sale.why_not)) : null,
      el("span", { className: "past-card" }, paidBy(sale), ...marks.filter(Boolean)),
    ),
    el("span", { className: "past-amount" }, sum(sale.price)),
    el("span", { className: "past-do" }, receiptButton, voidButton),
    open ? reasons(sale) : null,
  );
}

const linesOf = ({ lines }) => lines.map(([name, quantity]) => t("past.line", { name, quantity })).join(", ");

function actOf({ act, rest }) {
  return t(`past.act.${act}`, act === "top_up" ? { means: t(`taken.${rest[0].means}`).toLowerCase() } : {});
}

function paidBy({ card, rest }) {
  return card ? t("past.card", { end: card.slice(-4) }) : rest.map(({ means }) => t(`taken.${means}`)).join(", ");
}

function reasons(sale) {
  const give = (reason) => {
    voiding = null;
    voidSale(sale, reason);
    draw({ ...latest, past: true });
  };
  const other = el("input", {
    className: "other",
    maxLength: 200,
    placeholder: t("past.other"),
    aria: { label: t("past.other") },
  });
  const typed = (event) => {
    event.preventDefault();
    if (other.value.trim()) give(other.value.trim());
  };
  const form = el("form", { className: "other-form" }, other, el("button", { className: "chip", onclick: typed }, t(sale.act ? "past.act.void" : "past.void")));
  form.addEventListener("submit", typed);
  return el(
    "div",
    { className: "reasons", role: "group", aria: { label: t("past.why") } },
    el("p", {}, t(sale.act ? "past.why_act" : "past.why_amount", { amount: sum(sale.price) })),
    ...REASONS[sale.act ? "act" : "sale"].map((key) => el("button", { className: "chip", onclick: () => give(t(`past.why.${key}`)) }, t(`past.why.${key}`))),
    form,
    el("button", { className: "tool", onclick: () => ask(null) }, t(sale.act ? "past.keep_act" : "past.keep")),
  );
}
