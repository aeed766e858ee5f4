// The state machine over the whole page: present the card, checking, paid, refused. It shows what the agent's screen says.

import { cancel, closeResult, money } from "./actions.js";
import { byId, el, icon } from "./dom.js";
import * as sound from "./sound.js";
import { has, t } from "./words.js";

// What staff can put right here and now is amber; what lies with the card is red.
const RED = new Set(["card-unknown", "card-blocked", "insufficient-funds", "unusable-card"]);

let shown = "";
let heard = null;

export function start() {
  byId("state").addEventListener("click", (event) => {
    const done = ["paid", "refused"].includes(event.currentTarget.dataset.phase);
    if (done) closeResult();
  });
}

export function draw({ screen, closed, connected, catalogue }) {
  if (!screen || !catalogue) return;
  const { phase, result } = screen;
  const over = phase === "paid" || phase === "refused";
  const hidden = phase === "ready" || !screen.signed_in || (over && result?.sale === closed);
  const view = byId("state");
  byId("main").inert = !hidden;
  if (over) play(result);
  const key = hidden ? "" : JSON.stringify([phase, result, screen.pending_total, screen.hint, screen.reader, connected]);
  if (key === shown) return;
  shown = key;
  view.hidden = hidden;
  if (hidden) {
    view.replaceChildren();
    return;
  }
  view.dataset.phase = phase;
  view.dataset.tone = tone(phase, result);
  view.replaceChildren(...{ present_card: present, checking, paid, refused }[phase](screen, connected));
  view.querySelector("button")?.focus({ focusVisible: false });
}

function tone(phase, result) {
  if (phase === "paid") return "good";
  if (phase === "refused") return RED.has(result?.reason) ? "bad" : "warn";
  return "wait";
}

// Once for each result; a page that is loaded while one is shown stays silent.
function play(result) {
  if (heard === result.sale) return;
  heard = result.sale;
  if (result.reason) sound.refused();
  else sound.paid();
}

function pending(screen) {
  return screen.pending_currency === null ? "" : money(screen.pending_total, screen.pending_currency);
}

function present(screen, connected) {
  const trouble = screen.reader === "lost" ? t("notice.reader_lost") : screen.hint ? t(`hint.${screen.hint}`) : null;
  return [
    el("p", { className: "state-icon waves" }, icon("tap")),
    el("h2", { className: "state-title" }, t("present.title")),
    el("p", { className: "state-amount" }, pending(screen)),
    trouble ? el("p", { className: "state-trouble" }, icon("warn"), el("span", {}, trouble)) : null,
    el("button", { className: "state-button", disabled: !connected, onclick: cancel }, icon("x"), t("present.cancel")),
  ].filter((one) => one !== null);
}

function checking(screen) {
  return [
    el("p", { className: "state-icon turning" }, icon("retry")),
    el("h2", { className: "state-title" }, t("checking.title")),
    el("p", { className: "state-amount" }, pending(screen)),
    el("p", { className: "state-next" }, t("checking.next")),
  ];
}

function paid({ result }) {
  return [
    el("p", { className: "state-icon" }, icon("done")),
    el("h2", { className: "state-title" }, t("paid.title")),
    el("p", { className: "state-amount" }, money(result.total, result.currency)),
    el("p", { className: "state-left" }, ...left(result)),
    result.offline ? el("p", { className: "state-offline" }, icon("offline"), t("paid.offline")) : "",
    el("button", { className: "state-button" }, t("paid.next"), icon("arrow-right")),
  ];
}

// The balance in the currency that was paid first, the others after it.
function left({ balances, currency }) {
  if (balances === null || balances.length === 0) return [t("left.unknown")];
  const paidFirst = [...balances].sort((a, b) => (b.currency === currency) - (a.currency === currency));
  const amounts = paidFirst.map((balance) => el("strong", {}, money(balance.minor, balance.currency)));
  return [t("left"), ...amounts];
}

function refused({ result }) {
  const reason = has(`refusal.${result.reason}`) ? result.reason : "other";
  const balance = result.reason === "insufficient-funds" && result.balances?.find((one) => one.currency === result.currency);
  return [
    el("p", { className: "state-icon" }, icon("failed")),
    el("h2", { className: "state-title" }, t(`refusal.${reason}`)),
    balance ? el("p", { className: "state-left" }, t("left"), el("strong", {}, money(balance.minor, balance.currency))) : "",
    el("p", { className: "state-next" }, t(`refusal.${reason}.next`)),
    el("p", { className: "state-money" }, t("refused.nothing_charged", { amount: money(result.total, result.currency) })),
    el("button", { className: "state-button" }, icon("arrow-left"), t("refused.back")),
  ];
}
