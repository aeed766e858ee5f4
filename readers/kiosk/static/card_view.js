// What is on a card, for who holds it: hours first and largest, gifts and points apart from money, each with whether it
// is spent here, then what this till last credited.

import { money, moneyName } from "./actions.js";
import { el, icon } from "./dom.js";
import { formatAmount } from "./money.js";
import { state } from "./store.js";
import { clock, day, language, t } from "./words.js";

const FREE = ["gift", "points"];

export function onCard({ balances, told, members }) {
  const of = (...kinds) => balances.filter(({ currency }) => kinds.includes(kindOf(currency)));
  const hours = of("time");
  const free = of(...FREE);
  const rest = balances.filter((one) => !hours.includes(one) && !free.includes(one));
  const empty = balances.length === 0 ? el("p", { className: "state-next" }, t("act.balance.nothing")) : null;
  return el(
    "div",
    { className: "told" },
    memberships(members),
    empty,
    hours.length > 0 ? el("ul", { className: "told-hours" }, ...hours.map((one) => line(one, told))) : null,
    el(
      "div",
      { className: "told-groups" },
      group(t("act.balance.money"), rest.map((one) => line(one, told))),
      group(t("act.balance.gifts"), free.map((one) => line(one, told))),
      group(t("act.balance.credited"), told.credited.map(credit)),
    ),
    told.age_s === null ? null : el("p", { className: "state-offline" }, icon("offline"), t("act.balance.age", { age: ageOf(told) })),
  );
}

const SIGN = { valid: "check", soon: "clock", over: "refused" };

// What the card is a member of, until when: a band each, in words beside its colour. Null where it is of nothing.
export function memberships(members) {
  if (!members?.length) return null;
  return el(
    "ul",
    { className: "members" },
    ...members.map(({ names, of, last, standing }) =>
      el(
        "li",
        { className: `member member-${standing}` },
        icon(SIGN[standing] ?? "check"),
        el("strong", {}, names[language] ?? names.fr ?? ""),
        el("span", {}, of),
        el("span", { className: "member-until" }, t(`member.${standing}`, { day: day(last) })),
      ),
    ),
  );
}

const kindOf = (code) => state.catalogue.currencies.find((one) => one.code === code)?.kind;

// Of less than a minute nobody keeps count.
const ageOf = ({ age_s }) => formatAmount(Math.max(1, Math.round(age_s / 60)), "minute", "", language);

function group(title, lines) {
  return lines.length === 0 ? null : el("section", {}, el("h3", {}, title), el("ul", {}, ...lines));
}

function line({ minor, currency }, told) {
  const here = told.here.find((one) => one.currency === currency);
  return el(
    "li",
    { className: here ? "" : "elsewhere" },
    el("span", { className: "told-name" }, moneyName(currency)),
    el("strong", {}, money(minor, currency)),
    el("span", { className: "told-where" }, icon(here ? "check" : "x"), whereOf(here)),
  );
}

function whereOf(here) {
  if (!here) return t("act.balance.not_here");
  if (here.categories.length === 0) return t("act.balance.here");
  return t("act.balance.only", { categories: here.categories.join(", ") });
}

function credit({ minor, currency, at_us, reason }) {
  return el(
    "li",
    {},
    el("span", { className: "told-name" }, clock(at_us)),
    el("strong", {}, money(minor, currency)),
    el("span", { className: "told-where" }, reason),
  );
}
