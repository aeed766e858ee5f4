// The PIN pad, for fingers and for a keyboard. The PIN is never shown nor kept.

import { post, Refused } from "./api.js";
import { inWords } from "./actions.js";
import { byId, el, icon } from "./dom.js";
import { unlock } from "./sound.js";
import { t } from "./words.js";

const DIGITS_MAX = 12;
let pin = "";
let asking = false;

export function start() {
  const digit = (one) => el("button", { className: "key", data: { key: one }, onclick: () => type(one) }, one);
  byId("keys").append(
    ...[..."123456789"].map(digit),
    el("button", { className: "key", aria: { label: t("sign_in.erase") }, onclick: erase }, icon("erase")),
    digit("0"),
    el("button", { className: "key key-ok", onclick: submit }, t("sign_in.ok")),
  );
  show();
}

export function draw({ screen, connected }) {
  byId("sign-in").hidden = !screen || Boolean(screen.signed_in);
  const first = screen?.card_first && !screen.badge;
  byId("sign-in-title").textContent = t(screen?.badge ? "sign_in.badge" : first ? "sign_in.card_first" : "sign_in.title");
  for (const key of byId("keys").children) key.disabled = !connected;
}

/** A key pressed while the pad is shown; true if it meant something here. */
export function pressed(event) {
  if (/^[0-9]$/.test(event.key)) type(event.key);
  else if (event.key === "Backspace") erase();
  else if (event.key === "Enter") submit();
  else return false;
  return true;
}

function type(digit) {
  pin = (pin + digit).slice(0, DIGITS_MAX);
  show();
}

function erase() {
  pin = pin.slice(0, -1);
  show();
}

async function submit() {
  if (asking || pin === "") return;
  unlock();
  asking = true;
  const body = { pin };
  pin = "";
  try {
    await post("sign-in", body);
    show();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    show(inWords(error.reason));
  } finally {
    asking = false;
  }
}

function show(error = "") {
  const dots = byId("pin");
  dots.textContent = "●".repeat(pin.length);
  dots.setAttribute("aria-label", t("sign_in.typed", { count: pin.length }));
  byId("pin-error").textContent = error;
}
