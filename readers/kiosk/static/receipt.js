// The receipt of one sale: a code to scan, the way to print it, and what the printer says.

import { command, inWords, sum } from "./actions.js";
import { fetchReceipt, Refused } from "./api.js";
import { byId, el, fill, icon } from "./dom.js";
import { change, state } from "./store.js";
import { say } from "./toast.js";
import { t } from "./words.js";

let built = "";

/** Show the receipt of one of the last sales. */
export async function openReceipt(sale) {
  try {
    const shown = await fetchReceipt(sale);
    change({ receipt: { ...shown, asText: shown.address === null }, past: false });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(inWords(error.reason));
  }
}

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

function code({ sale, asText }) {
  const of = asText ? "text" : "address";
  return el("img", { className: "receipt-code", src: `/api/receipts/${sale}/code.svg?of=${of}`, alt: t("receipt.scan") });
}

function side(receipt, past, screen, connected) {
  const { asText, address } = receipt;
  const trouble = ["no_paper", "absent"].includes(screen.printer) ? screen.printer : null;
  return [
    past ? el("p", { className: "receipt-amount" }, sum(past.price)) : null,
    el("p", { className: "receipt-hint" }, t(asText ? "receipt.scan_text" : "receipt.scan")),
    past?.voided ? el("p", { className: "receipt-hint" }, icon("undo"), t("past.voided")) : null,
    !asText && !screen.online ? el("p", { className: "receipt-hint calm" }, icon("offline"), t("receipt.later")) : null,
    address === null ? null : other(receipt),
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
function other(receipt) {
  const { asText } = receipt;
  return el(
    "button",
    { className: "receipt-button", data: { key: "as-text" }, onclick: () => change({ receipt: { ...state.receipt, asText: !asText } }) },
    icon(asText ? "external-link" : "offline"),
    t(asText ? "receipt.as_page" : "receipt.as_text"),
  );
}

async function print(sale) {
  if (await command(`receipts/${sale}/print`)) say(t("receipt.sent"));
}
