// The receipt of one sale: a code to scan, the way to print it, and what the printer says.

import { command, inWords, sum } from "./actions.js";
import { fetchReceipt, Refused } from "./api.js";
import { byId, el, fill, icon } from "./dom.js";
import { change, state } from "./store.js";
import { say } from "./toast.js";
import { t } from "./words.js";

let built = "";

/** Show the receipt of one of the last sales; the tickets that are handed over with it come first. */
export async function openReceipt(sale) {
  try {
    const shown = await fetchReceipt(sale);
    const of = shown.tickets.length > 0 ? 0 : ofReceipt(shown);
    change({ receipt: { ...shown, of }, past: false });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(inWords(error.reason));
  }
}

const ofReceipt = ({ address }) => (address === null ? "text" : "address");

export function start() {
  byId("close-receipt").addEventListener("click", () => change({ receipt: null }));
}

export function draw({ screen, receipt, connected, catalogue }) {
  byId("receipt").hidden = !receipt || !screen?.signed_in;
  if (!receipt || !screen || !catalogue) {
    built = "";
    return;
  }
  const key = JSON.stringify([receipt, connected, screen.printer, screen.online, screen.last_sales.map((one) => one.voided)]);
  if (key === built) return;
  built = key;
  byId("receipt-title").textContent = t("receipt.title", { number: receipt.number });
  const past = screen.last_sales.find((one) => one.sale === receipt.sale);
  fill(byId("receipt-body"), code(receipt), el("div", { className: "receipt-side" }, ...side(receipt, past, screen, connected)));
}

function code({ sale, of }) {
  return el("img", { className: "receipt-code", src: `/api/receipts/${sale}/code.svg?of=${of}`, alt: t(of === "text" ? "receipt.scan_text" : "receipt.scan") });
}

function side(receipt, past, screen, connected) {
  const { of, address, tickets } = receipt;
  const ticket = tickets[of];
  const trouble = ["no_paper", "absent"].includes(screen.printer) ? screen.printer : null;
  return [
    past ? el("p", { className: "receipt-amount" }, sum(past.price)) : null,
    ticket ? el("p", { className: "receipt-hint" }, el("strong", {}, t("receipt.ticket", { number: of + 1, count: tickets.length })), ticket.name) : null,
    el("p", { className: "receipt-hint" }, t(ticket ? "receipt.scan_ticket" : of === "text" ? "receipt.scan_text" : "receipt.scan")),
    past?.voided ? el("p", { className: "receipt-hint" }, icon("undo"), t("past.voided")) : null,
    of === "address" && !screen.online ? el("p", { className: "receipt-hint calm" }, icon("offline"), t("receipt.later")) : null,
    tickets.length > (ticket ? 1 : 0) ? turn("next-ticket", "arrow-right", t(ticket ? "receipt.next_ticket" : "receipt.tickets"), ticket ? (of + 1) % tickets.length : 0) : null,
    ticket ? turn("as-receipt", "receipt", t("receipt.open"), ofReceipt(receipt)) : address === null ? null : other(receipt),
    el(
      "button",
      {
        className: "receipt-button",
        data: { key: "print" },
        disabled: !connected || ["none", "busy"].includes(screen.printer),
        onclick: () => print(receipt.sale),
      },
      icon("printer"),
      t(screen.printer === "busy" ? "printer.busy" : "receipt.print"),
    ),
    screen.printer === "none" ? el("p", { className: "receipt-hint" }, t("receipt.no_printer")) : null,
    trouble ? el("p", { className: "receipt-hint warn", role: "status" }, icon("warn"), el("span", {}, t(`printer.${trouble}`))) : null,
  ].filter((one) => one !== null);
}

// For a phone without internet the code carries the receipt itself.
function other({ of }) {
  const asText = of === "text";
  return turn("as-text", asText ? "external-link" : "offline", t(asText ? "receipt.as_page" : "receipt.as_text"), asText ? "address" : "text");
}

function turn(key, glyph, text, of) {
  return el("button", { className: "receipt-button", data: { key }, onclick: () => change({ receipt: { ...state.receipt, of } }) }, icon(glyph), text);
}

/** Tickets that no card holds are printed by themselves: without them whoever paid has nothing in hand. */
export async function handOver({ sale, tickets }, { printer }) {
  if (tickets > 0 && printer === "ok") await print(sale);
}

async function print(sale) {
  if (await command(`receipts/${sale}/print`)) say(t("receipt.sent"));
}
