// The door of an event: cards, codes and names become one big answer. A scanner types into the page like a keyboard.

import { follow, post } from "./api.js";
import { memberships } from "./card_view.js";
import { byId, el, fill, icon } from "./dom.js";
import * as sound from "./sound.js";
import { clock, count, has, named, t } from "./words.js";

const GREEN = ["in", "again", "out"];
// What staff can make good in a word; the others are for somebody to look into.
const AMBER = ["early", "not_inside", "wrong_event", "over", "no_ticket"];
const GREEN_MS = 4000;
const SEARCH_MS = 150;

let screen = null;
let opened = false;
let told = null; // the result that is shown
let fading;
let searching;

follow(
  (now) => {
    byId("lost").hidden = true;
    screen = now;
    draw();
  },
  () => (byId("lost").hidden = false),
);

async function send(command, body = {}) {
  try {
    await post(`door/${command}`, body);
    byId("toast").hidden = true;
  } catch (refused) {
    const key = `till.${refused.reason}`;
    byId("toast").textContent = has(key) ? t(key) : t("till.unknown", { reason: refused.reason });
    byId("toast").hidden = false;
  }
}

function draw() {
  const { door } = screen;
  if (!screen.signed_in || !door) return location.replace("/");
  if (!opened) {
    opened = true;
    if (!door.on) return send("open").then(search);
    search();
  }
  fill(byId("place"), el("strong", {}, screen.venue), " ", el("span", {}, screen.terminal));
  const network = screen.online ? ["online", t("bar.online"), "fine"] : ["offline", t("bar.offline"), "calm"];
  const reader = screen.reader === "lost" ? ["warn", t("bar.reader_lost"), "warn"] : ["tap", t("bar.reader_ok"), "fine"];
  fill(byId("signs"), ...[network, reader].map(([name, text, kind]) => el("li", { className: `sign ${kind}` }, icon(name), el("span", {}, text))));
  drawEvents(door);
  byId("count").textContent = t("door.inside", { inside: door.inside, expected: door.expected });
  byId("ask").textContent = t(door.direction === "in" ? "door.ask" : "door.ask_out");
  for (const one of byId("turn").children) one.setAttribute("aria-pressed", String(one.dataset.direction === door.direction));
  if (door.result?.id !== told?.id || door.result?.more !== told?.more) answer(door.result);
}

function drawEvents({ events, event }) {
  const options = events.map((one) => el("option", { value: one.id, selected: one.id === event }, `${named(one.titles)}, ${clock(one.starts_at_us)}`));
  const key = JSON.stringify([events, event]);
  if (byId("event").dataset.told === key) return;
  byId("event").dataset.told = key;
  byId("event").replaceChildren(...options);
}

function answer(result) {
  told = result;
  clearTimeout(fading);
  const state = byId("state");
  state.hidden = result === null;
  if (result === null) return back();
  const green = GREEN.includes(result.answer);
  state.dataset.tone = green ? "good" : AMBER.includes(result.answer) ? "warn" : "bad";
  state.dataset.answer = result.answer;
  const said = has(`door.said.${result.answer}`) ? t(`door.said.${result.answer}`) : t(`till.${result.answer}`);
  fill(
    state,
    el("span", { className: "state-icon" }, icon(green ? "done" : "failed")),
    el("p", { className: "door-said" }, said),
    ...what(result, green).map((text) => el("p", { className: "door-what" }, text)),
    ...why(result).map((text) => el("p", { className: "state-next" }, text)),
    memberships(result.members) ?? "",
    el("div", { className: "state-choices" }, ...choices(result)),
  );
  if (green) sound.paid();
  else sound.refused();
  byId("text").value = "";
  state.querySelector("button").focus();
  if (green && result.more === 0) fading = setTimeout(() => send("dismiss"), GREEN_MS);
  search();
}

function what(result, green) {
  const price = named(result.price);
  const places = green ? count("door.places", result.count) : null;
  const serial = result.serial === null ? null : t("door.ticket", { serial: result.serial });
  return [[price, places].filter(Boolean).join(" · "), [result.name, serial].filter(Boolean).join(" · ")].filter(Boolean);
}

function why(result) {
  const { last_at_us, last_terminal, other, other_at_us } = result;
  const time = last_at_us === null ? null : clock(last_at_us);
  if (result.answer === "inside") return [t("door.since", { time, terminal: last_terminal })];
  if (result.answer === "no_ticket") return [t("door.no_ticket_next")];
  if (result.answer === "wrong_event" && other_at_us !== null) return [t("door.other", { title: named(other), time: clock(other_at_us) })];
  if (result.answer === "early") {
    const event = screen.door.events.find(({ id }) => id === screen.door.event);
    return event ? [t("door.doors", { time: clock(event.doors_at_us) })] : [];
  }
  if (GREEN.includes(result.answer)) {
    if (result.more > 0) return [count("door.more", result.more)];
    return result.serial === null ? [t("door.new")] : [];
  }
  if (time !== null) return [t("door.gone", { time, terminal: last_terminal })];
  return [];
}

function choices(result) {
  const button = (text, act) => el("button", { className: "state-button", onclick: act }, text);
  const next = button(t("door.next"), () => send("dismiss"));
  if (result.answer === "early") return [next, button(t("door.anyway"), () => send("anyway"))];
  if (result.more === 0) return [next];
  const all = result.more > 1 ? button(t("door.more_all"), () => send("more", { count: result.more })) : null;
  return [next, button(t("door.more_one"), () => send("more", { count: 1 })), all].filter(Boolean);
}

function back() {
  byId("text").focus();
}

async function search() {
  const response = await fetch(`/api/door/list?q=${encodeURIComponent(byId("text").value)}`).catch(() => null);
  if (!response?.ok) return;
  const found = await response.json();
  const rows = found.map((one) =>
    el("li", {}, el("button", { className: "door-one", data: { key: one.id }, onclick: () => send("ticket", { ticket: one.id }) },
      el("strong", {}, one.name ?? t("door.nameless")),
      el("small", {}, [t("door.ticket", { serial: one.serial }), named(one.price)].join(" · ")),
      mark(one),
    )),
  );
  fill(byId("list"), ...(rows.length > 0 ? rows : [el("li", {}, t("door.none"))]));
}

function mark(one) {
  if (one.state === "refunded") return el("em", {}, t("door.is_refunded"));
  if (one.state === "void") return el("em", {}, t("door.is_void"));
  return one.inside ? el("em", {}, t("door.is_inside")) : null;
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("text").value.trim();
  byId("text").value = "";
  if (/^t1:/i.test(text)) send("code", { code: text });
  else if (text) byId("list").querySelector("button")?.click();
});
byId("text").addEventListener("input", () => {
  clearTimeout(searching);
  // A code comes in faster than anybody types, and is no name.
  if (!/^t1:/i.test(byId("text").value)) searching = setTimeout(search, SEARCH_MS);
});
byId("event").addEventListener("change", () => send("open", { event: byId("event").value }).then(search));
byId("turn").addEventListener("click", (event) => {
  const chosen = event.target.closest("button");
  if (chosen) send("turn", { direction: chosen.dataset.direction }).then(back);
});
byId("leave").addEventListener("click", () => send("close").then(() => location.assign("/")));
document.addEventListener("pointerdown", sound.unlock, { once: true });
// Over an answer the scanner goes on: its first letter takes the answer away, and its code is not lost.
document.addEventListener("keydown", (event) => {
  sound.unlock();
  if (byId("state").hidden || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") send("dismiss");
  else if (event.key.length === 1 && event.key !== " ") {
    byId("state").hidden = true;
    byId("text").focus();
  }
});
