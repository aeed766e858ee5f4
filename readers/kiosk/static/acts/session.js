// The till session: open the drawer with a float, move cash, count, report, close. One panel, a step at a time.

import { command, inWords } from "../actions.js";
import { el, fill, icon } from "../dom.js";
import { change, state } from "../store.js";
import { say } from "../toast.js";
import { clock, language, t } from "../words.js";
import { formatAmount } from "../money.js";
import { counter } from "./pieces.js";

const WHY = ["change", "unknown"];
const REASONS = { in: ["change", "other"], out: ["to_safe", "supplier", "change", "other"] };

let step = { name: "menu" };
let box = null;

const euros = (cents) => formatAmount(cents, "cent", "€", language);
const may = ({ screen }) => screen.rights.includes("close");

export const act = {
  id: "session",
  icon: "cash",
  right: null,
  offline: true,
  reader: false,
  training: false,
  open() {
    step = { name: "menu" };
    change({ sheet: "session", past: false });
  },
  panel() {
    box = el("div", { className: "session" });
    drawn = "";
    return [box];
  },
  draw(now) {
    const key = JSON.stringify([now.screen.session, now.screen.rights, now.screen.printer, now.connected]);
    if (key !== drawn) {
      drawn = key;
      show(step);
    }
  },
};

let drawn = "";

/** Once somebody has signed in where nothing is sold without a session, its opening is what comes first. */
let asked = null;
export function askForSession({ screen }) {
  const who = screen?.signed_in ?? null;
  const needed = who !== null && screen.session.required && !screen.session.open && !screen.training;
  if (needed && asked !== who) {
    asked = who;
    step = { name: "open" };
    change({ sheet: "session", past: false });
  } else if (!needed && asked !== null) {
    asked = null;
  }
}

function show(next) {
  step = next;
  fill(box, ...STEPS[step.name](step));
}

const back = () =>
  el("button", { className: "tool bordered", data: { key: "back" }, onclick: () => show({ name: "menu" }) }, icon("arrow-left"), t("session.back"));

const main = (label, onclick, more = {}) => el("button", { className: "session-main", data: { key: "main" }, onclick, ...more }, label);

const hint = (text) => el("p", { className: "session-hint" }, text);

const STEPS = { menu, open, count, move, difference, report };

function menu() {
  const { screen } = state;
  const { session } = screen;
  const tile = (id, symbol, go, { right = true, enabled = true } = {}) => {
    const denied = right && !may(state);
    return el(
      "button",
      { className: "act", data: { key: `session-${id}` }, disabled: denied || !enabled || !state.connected, onclick: go },
      icon(symbol),
      el("span", {}, t(`session.${id}`)),
      denied ? el("small", {}, t("more.no_right", { right: t("right.close") })) : null,
    );
  };
  const status = session.open ? t("session.since", { time: clock(session.opened_at_us) }) : t("session.none");
  return [
    hint(session.required && !session.open ? t("session.required") : status),
    el(
      "div",
      { className: "acts" },
      session.open ? null : tile("open", "lock-open", () => show({ name: "open" }), { right: false }),
      tile("in", "plus", () => show({ name: "move", direction: "in" })),
      tile("out", "minus", () => show({ name: "move", direction: "out" })),
      tile("count", "scale", () => show({ name: "count" }), { right: false }),
      tile("now", "receipt", () => showReport("now")),
      tile("close", "lock", () => show({ name: "count", closing: true })),
      tile("last", "history", () => showReport("last"), { enabled: session.closings > 0 }),
    ),
  ];
}

function open() {
  const pieces = counter();
  const go = async () => {
    if (!(await command("session/open", { pieces: pieces.counted() }))) return;
    say(t("session.opened", { amount: euros(pieces.sum()) }));
    change({ sheet: null });
  };
  return [hint(t("session.open_hint")), pieces.node, el("div", { className: "session-end" }, back(), main(t("session.open"), go))];
}

function count({ closing = false }) {
  const pieces = counter();
  const blind = state.screen.session.blind;
  const go = async () => {
    const shown = await command("session/count", { pieces: pieces.counted() });
    if (!shown) return;
    if (closing || shown.expected_cents !== null) return show({ name: "difference", shown, closing });
    say(t("session.counted", { amount: euros(shown.counted_cents) }));
    show({ name: "menu" });
  };
  return [
    hint([t("session.count_hint"), blind ? t("session.count_blind") : ""].join(" ")),
    pieces.node,
    el("div", { className: "session-end" }, back(), main(t("session.save"), go)),
  ];
}

/** What was counted beside what should be there; for a closing, with the reason and the last step. */
function difference({ shown, closing }) {
  const differs = shown.counted_cents - shown.expected_cents;
  const line = (key, cents, className = "") =>
    el("div", { className: `session-line ${className}` }, el("span", {}, t(key)), el("strong", {}, euros(cents)));
  const close = async (reason) => {
    const done = await command("session/close", { reason });
    if (!done) return;
    say(t("session.closed", { number: done.number }));
    await showReport("closed");
  };
  const nodes = [
    line("session.expected", shown.expected_cents),
    line("session.counted_sum", shown.counted_cents),
    differs === 0 ? hint(t("session.no_difference")) : line("session.difference", differs, "warn"),
  ];
  const again = el("button", { className: "tool bordered", onclick: () => show({ name: "count", closing }) }, icon("retry"), t("session.count_again"));
  if (!closing) return [...nodes, el("div", { className: "session-end" }, back(), again)];
  nodes.push(hint(t("session.close_after")));
  if (differs === 0) return [...nodes, el("div", { className: "session-end" }, back(), again, main(t("session.close_now"), () => close("")))];
  const why = text("session.why");
  return [
    ...nodes,
    el(
      "div",
      { className: "chips" },
      ...WHY.map((key) => el("button", { className: "chip", onclick: () => (why.value = t(`session.why.${key}`)) }, t(`session.why.${key}`))),
    ),
    why,
    el("div", { className: "session-end" }, back(), again, main(t("session.close_now"), () => close(why.value.trim()))),
  ];
}

function move({ direction }) {
  const amount = text("session.amount", { inputMode: "decimal", autocomplete: "off" });
  const note = text("session.note", { maxLength: 200 });
  let reason = REASONS[direction][0];
  const chips = el("div", { className: "chips", role: "group", aria: { label: t("session.reason") } });
  const drawChips = () =>
    fill(
      chips,
      ...REASONS[direction].map((key) =>
        el(
          "button",
          {
            className: "chip",
            data: { key },
            aria: { pressed: String(key === reason) },
            onclick: () => {
              reason = key;
              drawChips();
            },
          },
          t(`cash.reason.${key}`),
        ),
      ),
    );
  drawChips();
  const go = async () => {
    const cents = centsOf(amount.value);
    if (cents === null) return say(inWords("wrong_amount"));
    if (!(await command("session/move", { direction, reason, note: note.value, cents }))) return;
    say(direction === "in" ? t("session.moved_in", { amount: euros(cents) }) : t("session.moved_out", { amount: euros(cents) }));
    show({ name: "menu" });
  };
  return [hint(t(direction === "in" ? "session.in" : "session.out")), amount, chips, note, el("div", { className: "session-end" }, back(), main(t("session.save"), go))];
}

async function showReport(which) {
  const shown = await command("session/report", { which });
  if (shown) show({ name: "report", which, shown });
}

function report({ which, shown }) {
  const print = async () => {
    if (await command("session/print", { which })) say(t("session.printed"));
  };
  const rows = shown.rows.map(([style, left, right]) => el("div", { className: `slip-row ${style}` }, el("span", {}, left), el("span", {}, right)));
  const none = ["none", "busy"].includes(state.screen.printer);
  return [
    el("div", { className: "slip", role: "document" }, ...rows),
    none ? hint(t(state.screen.printer === "busy" ? "printer.busy" : "receipt.no_printer")) : null,
    el("div", { className: "session-end" }, back(), main(t("session.print"), print, { disabled: none })),
  ].filter((one) => one !== null);
}

function text(key, more = {}) {
  return el("input", { className: "session-field", placeholder: t(key), aria: { label: t(key) }, ...more });
}

/** "12", "12,5" or "12.50" in cents; null for anything else, and for nothing. */
function centsOf(typed) {
  const found = /^(\d{1,7})(?:[.,](\d{1,2}))?$/.exec(typed.trim());
  if (!found) return null;
  const cents = Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
  return cents > 0 ? cents : null;
}
