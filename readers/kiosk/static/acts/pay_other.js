// Every way to charge a basket beside a card and cash: each is one tile, greyed with the reason where it can't be taken.

import { basketPrice, sum, take } from "../actions.js";
import { againstHand } from "../by_hand.js";
import { byId, el, fill, icon } from "../dom.js";
import { show } from "../sheet.js";
import { state } from "../store.js";
import { t } from "../words.js";

const ICONS = { bank_card: "card", cheque: "pencil", meal_voucher: "utensils" };

const noAgent = () => (state.connected ? null : t("more.no_agent"));

function ways() {
  const means = (state.catalogue.means ?? []).filter((one) => one in ICONS);
  const gift = state.screen.rights.includes("gift_house") ? againstHand("house") : t("more.no_right", { right: t("right.gift_house") });
  const split = state.bill || state.later.length > 0 ? t("bill.fixed") : null;
  const items = state.lines.reduce((count, { quantity }) => count + quantity, 0);
  return [
    ...means.map((one) => ({ id: one, glyph: ICONS[one], label: t(`taken.${one}`), against: againstHand(one), go: () => take({ means: one }) })),
    { id: "house", glyph: "gift", label: t("act.house"), against: gift, go: () => show("house") },
    { id: "split", glyph: "users", label: t("act.split"), against: split ?? (Math.abs(total()) < 2 ? t("split.two") : null), go: () => show("split") },
    { id: "split_items", glyph: "basket", label: t("act.split_items"), against: split ?? (items < 2 ? t("split.two") : null), go: () => show("split_items") },
  ];
}

const total = () => basketPrice().reduce((sum_, { minor }) => sum_ + minor, 0);

function draw() {
  const body = byId("ways");
  if (!body) return;
  const all = ways();
  const key = JSON.stringify([all.map(({ id, against }) => [id, against]), state.connected, state.busy, sum(basketPrice())]);
  if (body.dataset.built === key) return;
  body.dataset.built = key;
  byId("ways-total").textContent = sum(basketPrice());
  fill(body, ...all.map(tileOf));
}

function tileOf({ id, glyph, label, against, go }) {
  const why = noAgent() ?? against;
  return el(
    "button",
    { className: "act", data: { key: `way-${id}` }, disabled: why !== null || state.busy, onclick: go },
    icon(glyph),
    el("span", {}, label),
    why ? el("small", {}, why) : null,
  );
}

export const act = {
  id: "pay_other",
  panel: () => [el("p", { id: "ways-total", className: "ways-total" }), el("div", { id: "ways", className: "acts" })],
  draw,
};
