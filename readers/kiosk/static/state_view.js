// The state machine over the whole page: present the card, checking, paid, refused. It shows what the agent's screen says.

import { cancel, closeResult, complete, money, moneyName, sum } from "./actions.js";
import { memberships, onCard } from "./card_view.js";
import { byId, el, icon } from "./dom.js";
import { handOver, openReceipt } from "./receipt.js";
import * as sound from "./sound.js";
import { state } from "./store.js";
import { has, t } from "./words.js";

// What staff can put right here and now is amber; what lies with the card is red.
const RED = new Set(["card-unknown", "card-blocked", "card-not-proven", "insufficient-funds", "unusable-card"]);

let shown = "";
let heard = null;

export function start() {
  byId("state").addEventListener("click", (event) => {
    const { phase, open } = event.currentTarget.dataset;
    if (["paid", "refused"].includes(phase) && !open) closeResult();
  });
}

export function draw({ screen, closed, connected, catalogue, sheet }) {
  if (!screen || !catalogue) return;
  const { phase, result } = screen;
  const over = phase === "paid" || phase === "refused";
  const hidden = phase === "ready" || !screen.signed_in || (over && result?.sale === closed);
  const view = byId("state");
  byId("main").inert = !hidden || sheet !== null;
  byId("sheet").inert = !hidden;
  if (over) play(result, screen);
  const key = hidden ? "" : JSON.stringify([phase, result, screen.pending, screen.second_card, screen.act, screen.hint, screen.reader, connected]);
  if (key === shown) return;
  shown = key;
  view.hidden = hidden;
  if (hidden) {
    view.replaceChildren();
    return;
  }
  view.dataset.phase = phase;
  view.dataset.tone = tone(phase, result);
  view.dataset.open = over && result.offers.length > 0 ? "open" : "";
  view.replaceChildren(...{ present_card: present, checking, paid, refused }[phase](screen, connected));
  view.querySelector("button")?.focus({ focusVisible: false, preventScroll: true });
}

function tone(phase, result) {
  if (result?.act === "balance" && phase === "paid") return "wait";
  if (phase === "paid") return "good";
  if (result?.offers.length > 0) return "warn";
  if (phase === "refused") return RED.has(result?.reason) ? "bad" : "warn";
  return "wait";
}

// Once for each result; a page that is loaded while one is shown stays silent.
function play(result, screen) {
  if (heard === result.sale) return;
  heard = result.sale;
  if (!result.reason) handOver(result, screen);
  if (result.act === "balance") return;
  if (result.reason) sound.refused();
  else sound.paid();
}

// Each currency on a line of its own; two of them leave less room for each.
function big(amounts) {
  const lines = amounts.map(({ minor, currency }) => el("span", {}, money(minor, currency)));
  return el("p", { className: `state-amount ${lines.length > 1 ? "several" : ""}` }, ...lines);
}

function present(screen, connected) {
  const trouble = screen.reader === "lost" ? t("notice.reader_lost") : screen.hint ? t(`hint.${screen.hint}`) : null;
  return [
    el("p", { className: "state-icon waves" }, icon("tap")),
    el("h2", { className: "state-title" }, t(screen.act ? `act.${screen.act}.ask` : screen.second_card ? "present.second" : "present.title")),
    big(screen.pending),
    trouble ? el("p", { className: "state-trouble" }, icon("warn"), el("span", {}, trouble)) : null,
    el("button", { className: "state-button", disabled: !connected, onclick: cancel }, icon("x"), t("present.cancel")),
  ].filter((one) => one !== null);
}

function checking(screen) {
  return [
    el("p", { className: "state-icon turning" }, icon("retry")),
    el("h2", { className: "state-title" }, t("checking.title")),
    big(screen.pending),
    el("p", { className: "state-next" }, t("checking.next")),
  ];
}

function paid({ result }) {
  if (result.act) return done(result);
  const cash = result.taken.find(({ given, minor }) => given !== null && given > minor);
  const change = cash ? [{ minor: cash.given - cash.minor, currency: cash.currency }] : null;
  const listed = result.taken.length > 1 || result.card === null;
  return [
    el("p", { className: "state-icon" }, icon("done")),
    el("h2", { className: "state-title" }, change ? t("change.back") : title(result)),
    big(change ?? amountsOf(result)),
    listed ? parts(result.taken) : el("p", { className: "state-left" }, ...left(result)),
    memberships(result.members) ?? "",
    result.offline ? el("p", { className: "state-offline" }, icon("offline"), t("paid.offline")) : "",
    el("button", { className: "state-button" }, t("paid.next"), icon("arrow-right")),
    el("button", { className: "state-plain", onclick: () => openReceipt(result.sale) }, icon("receipt"), t(result.tickets > 0 ? "receipt.tickets" : "receipt.open")),
  ];
}

function title({ card, price, taken }) {
  if (price.length === 0) return t("paid.even");
  if (price.some(({ minor }) => minor < 0)) return t(card ? "paid.on_card" : "paid.out");
  return t(taken.some(({ means }) => means === "house") ? "paid.given" : "paid.title");
}

// What goes out is told by its title, and no sign before it.
function amountsOf({ price }) {
  const out = price.length > 0 && price.every(({ minor }) => minor < 0);
  if (out) return price.map(({ minor, currency }) => ({ minor: -minor, currency }));
  return price.length > 0 ? price : [{ minor: 0, currency: state.currency }];
}

// The balance in the currency that was paid first, the others after it.
function left({ balances, price }) {
  if (balances === null || balances.length === 0) return [t("left.unknown")];
  const first = price[0]?.currency;
  const paidFirst = [...balances].sort((a, b) => (b.currency === first) - (a.currency === first));
  const amounts = paidFirst.map((balance) => el("strong", {}, money(balance.minor, balance.currency)));
  return [t("left"), ...amounts];
}

// What each currency paid, and what is left of it on its card.
function parts(taken) {
  const more = ({ currency, left: after, given }) => {
    if (given !== null) return t("change.received", { amount: money(given, currency) });
    return after === null ? "" : t("taken.left", { amount: money(after, currency) });
  };
  const rows = taken.map((part) =>
    el(
      "li",
      {},
      el("span", {}, meansOf(part)),
      el("strong", {}, money(part.minor, part.currency)),
      el("span", {}, more(part)),
    ),
  );
  return el("ul", { className: "state-parts" }, ...rows);
}

const meansOf = ({ means, currency }) =>
  means === "card" ? moneyName(currency) : t(`taken.${means}`, { currency: moneyName(currency) });

// An act that is no sale: what was done, and what is on the card now.
function done(result) {
  const title = el("h2", { className: "state-title" }, t(`act.${result.act}.done`));
  const next = el("button", { className: "state-button" }, t("act.next"), icon("arrow-right"));
  if (result.told) return [title, onCard(result), next];
  return [
    el("p", { className: "state-icon" }, icon("done")),
    title,
    result.price.length > 0 ? big(result.price) : "",
    el("p", { className: "state-left" }, ...held(result.balances)),
    result.offline ? el("p", { className: "state-offline" }, icon("offline"), t(`act.${result.act}.offline`)) : "",
    has(`act.${result.act}.code`) ? el("p", { className: "state-next" }, t(`act.${result.act}.code`)) : "",
    next,
    result.act === "top_up" ? el("button", { className: "state-plain", onclick: () => openReceipt(result.sale) }, icon("receipt"), t("receipt.open")) : "",
  ];
}

function held(balances) {
  if (!balances?.length) return [t("left.unknown")];
  return [t("act.balance.done"), ...balances.map(({ minor, currency }) => el("strong", {}, money(minor, currency)))];
}

// Refused for an act: the words of the refusal, and what it means for this act's money.
function refusedAct(result) {
  const reason = has(`refusal.${result.reason}`) ? result.reason : "other";
  const own = `act.${result.act}.${reason.replaceAll("-", "_")}`;
  const next = has(own) ? own : has(`act.refusal.${reason}`) ? `act.refusal.${reason}` : `refusal.${reason}.next`;
  return [
    el("p", { className: "state-icon" }, icon("failed")),
    el("h2", { className: "state-title" }, t(`refusal.${reason}`)),
    el("p", { className: "state-next" }, t(next)),
    el("p", { className: "state-money" }, t(`act.${result.act}.refused`, { amount: sum(result.price) })),
    el("button", { className: "state-button" }, icon("arrow-left"), t("act.back")),
  ];
}

function refused({ result }) {
  if (result.act) return refusedAct(result);
  if (result.offers.length > 0) return short(result);
  const reason = has(`refusal.${result.reason}`) ? result.reason : "other";
  const currency = result.price[0]?.currency;
  const balance = result.reason === "insufficient-funds" && result.balances?.find((one) => one.currency === currency);
  return [
    el("p", { className: "state-icon" }, icon("failed")),
    el("h2", { className: "state-title" }, t(`refusal.${reason}`)),
    balance ? el("p", { className: "state-left" }, t("left"), el("strong", {}, money(balance.minor, balance.currency))) : "",
    el("p", { className: "state-next" }, t(`refusal.${reason}.next`)),
    el("p", { className: "state-money" }, t("refused.nothing_charged", { amount: sum(result.price) })),
    el("button", { className: "state-button" }, icon("arrow-left"), t("refused.back")),
  ];
}

// The card pays a part: what is missing, and what staff may do about it. Nothing is charged before they choose.
function short(result) {
  const reason = has(`refusal.${result.reason}`) ? result.reason : "other";
  const choice = (offer) =>
    el("button", { className: "state-button", data: { offer }, onclick: () => complete(offer) }, t(`short.${offer}`));
  return [
    el("h2", { className: "state-title" }, t(`refusal.${reason}`)),
    el("p", { className: "state-next" }, t("short.missing", { amount: sum(result.price) })),
    big(result.missing),
    el("div", { className: "state-choices" }, ...result.offers.map(choice)),
    el("button", { className: "state-plain", onclick: closeResult }, icon("arrow-left"), t("refused.back")),
  ];
}
