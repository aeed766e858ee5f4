// Tabs: what is set aside on cards for the evening, what is on them, and how each is paid.

import { basketPrice, command, inWords, money, perform, sum } from "../actions.js";
import { fetchTabs, Refused } from "../api.js";
import { priceIn } from "../basket.js";
import { byId, el, icon } from "../dom.js";
import { show } from "../sheet.js";
import { change, codes, state } from "../store.js";
import { say } from "../toast.js";
import { clock, t } from "../words.js";
import { reasons } from "./house.js";

const AMOUNTS = { cent: [1000, 2000, 3000, 5000], minute: [60, 120, 180], point: [10, 20, 50] };
// Staff see the end come in time to have it paid.
const SOON_US = 45 * 60 * 1_000_000;

// How staff may take what goes beyond, where the venue is paid that way.
const TAKEN = { cash: "cash", bank_card: "card", cheque: "pencil", meal_voucher: "utensils" };

let tabs = null;
// The tab whose rest the house gives, while its reason is asked.
let giving = null;

export const act = {
  id: "tabs",
  icon: "receipt",
  right: "sell",
  offline: false,
  reader: false,
  open() {
    giving = null;
    show("tabs");
    look();
  },
  panel: () => [el("div", { id: "open-tabs", className: "tabs-panel" }), el("div", { className: "tabs-new" }, ...opening())],
  draw,
};

async function look() {
  try {
    tabs = await fetchTabs();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(inWords(error.reason));
  }
  draw();
}

function draw() {
  const list = byId("open-tabs");
  if (!list || tabs === null) return;
  const key = JSON.stringify([tabs, giving, state.lines, state.connected, state.screen?.online, state.screen?.rights]);
  if (list.dataset.built === key) return;
  list.dataset.built = key;
  list.replaceChildren(...(tabs.length > 0 ? tabs.map(rowOf) : [el("p", { className: "nothing" }, t("tabs.none"))]));
}

function rowOf(tab) {
  const { total, held, currency } = tab;
  const amount = money(total, currency);
  const soon = held > 0 && tab.expires_at_us - Date.now() * 1000 < SOON_US;
  return el(
    "section",
    { className: "tab-row" },
    el(
      "div",
      { className: "tab-what" },
      el("strong", {}, tab.name || t("past.card", { end: tab.card.slice(-4) })),
      el("span", {}, tab.items.map(({ name, quantity }) => t("past.line", { name, quantity })).join(", ") || t("tabs.empty")),
      el("span", {}, held > 0 ? t("tabs.of", { total: amount, held: money(held, currency) }) : t("tabs.ended", { total: amount })),
      soon ? el("span", { className: "tab-soon" }, icon("clock"), t("tabs.ends", { time: clock(tab.expires_at_us) })) : null,
    ),
    giving === tab.id
      ? el("div", { className: "tab-gift" }, back(), ...reasons(money(total - held, currency), (reason) => pay(tab, "house", total - held, reason)))
      : el("div", { className: "tab-do" }, ...doing(tab)),
  );
}

function doing(tab) {
  const { total, held, currency } = tab;
  const beyond = total - held;
  const basket = basketPrice();
  const plain = ({ product, kind }) => !kind && state.products.get(product).kind === "goods";
  const fits =
    state.lines.length > 0 &&
    state.bill === null &&
    state.lines.every((line) => plain(line) && priceIn(line.product, state.products, codes(), currency) === currency);
  const button = (label, glyph, onclick) =>
    el("button", { className: "tool bordered", disabled: !state.connected || !state.screen.online, onclick }, icon(glyph), label);
  const pays =
    total > 0 && beyond > 0
      ? [
          button(t("tabs.rest_card", { amount: money(beyond, currency) }), "card", () => payByCard(tab)),
          ...(held > 0 ? (state.catalogue.means ?? []) : [])
            .filter((means) => means in TAKEN)
            .map((means) => button(t(`short.${means}`), TAKEN[means], () => pay(tab, means, beyond))),
          mayGive(tab) ? button(t("tabs.rest_house"), "gift", () => give(tab)) : null,
        ]
      : [button(total > 0 ? t("tabs.pay", { amount: money(total, currency) }) : t("tabs.drop"), total > 0 ? "card" : "bin", () => pay(tab, null, 0))];
  return [fits ? button(t("tabs.add", { amount: sum(basket) }), "plus", () => add(tab)) : null, ...pays].filter(Boolean);
}

async function add(tab) {
  const items = state.lines.map(({ product, quantity }) => ({ product, quantity, currency: tab.currency, price: state.products.get(product).prices[tab.currency] }));
  // Made once for this press: the agent may be asked again with the same one.
  if (!(await command(`tabs/${tab.id}/items`, { round: crypto.randomUUID(), items }))) return look();
  change({ lines: state.later, later: [] });
  say(t("tabs.added"));
  return look();
}

// Of hours nothing is given: the house has none.
const mayGive = ({ held, currency }) =>
  held > 0 &&
  state.screen.rights.includes("gift_house") &&
  state.catalogue.currencies.find(({ code }) => code === currency)?.cents != null;

const back = () => el("button", { className: "tool", onclick: () => give({ id: null }) }, icon("arrow-left"), t("act.back"));

function give({ id }) {
  giving = id;
  draw();
}

async function pay(tab, rest, beyond, reason = "") {
  giving = null;
  const answer = await command(`tabs/${tab.id}/pay`, { rest, reason });
  if (answer) {
    if (answer.sale === null) say(t("tabs.dropped"));
    else if (rest === "house") say(t("tabs.paid_gift", { amount: money(beyond, tab.currency) }));
    else say(beyond > 0 ? t("tabs.paid_rest", { amount: money(beyond, tab.currency) }) : t("tabs.paid"));
  }
  await look();
}

// The tab travels as it was shown: what was added meanwhile is found out by the server.
async function payByCard({ total: _, ...tab }) {
  if (await perform("tab_pay", { tab })) show(null);
}

function opening() {
  const chosen = state.catalogue.currencies.find(({ code }) => code === state.currency);
  const name = el("input", { className: "other", maxLength: 40, placeholder: t("tabs.name"), aria: { label: t("tabs.name") } });
  const open = async (amount) => {
    if (await perform("tab_open", { currency: chosen.code, amount, name: name.value.trim() })) show(null);
  };
  return [
    el("h3", {}, t("tabs.new")),
    name,
    el(
      "div",
      { className: "tab-do" },
      ...(chosen ? AMOUNTS[chosen.unit] : []).map((amount) =>
        el("button", { className: "chip", onclick: () => open(amount) }, money(amount, chosen.code)),
      ),
    ),
    el("button", { className: "tool", onclick: look }, icon("retry"), t("tabs.again")),
  ];
}
