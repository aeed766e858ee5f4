// The keyboard. Digits before a product say how many; arrows move between tiles; Enter takes what has the focus;
// Ctrl+Enter pays; Escape steps back.

import { cancel, closeResult, pay } from "./actions.js";
import { byId } from "./dom.js";
import * as signIn from "./sign_in.js";
import { change, state } from "./store.js";

const MULTIPLIER_MAX = 999;

export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey || event.target instanceof HTMLInputElement) return;
    if (handled(event)) event.preventDefault();
  });
}

function handled(event) {
  const { screen, connected } = state;
  if (!screen || !connected) return false;
  if (!screen.signed_in) return !event.ctrlKey && signIn.pressed(event);
  if (!byId("state").hidden) return overState(event, screen);
  if (event.ctrlKey) return event.key === "Enter" && (pay(), true);
  if (event.key === "Escape") return change({ past: false, sheet: null, multiplier: 0 }), true;
  if (state.past || state.sheet !== null) return false;
  if (event.key.startsWith("Arrow")) return move(event.key);
  return multiply(event.key);
}

function overState(event, screen) {
  if (screen.phase === "present_card") return event.key === "Escape" && (cancel(), true);
  if (screen.phase === "checking") return false;
  // Whoever has yet to say how the rest is paid has not gone on to the next sale.
  if (event.key !== "Escape" && (screen.result?.offers.length > 0 || !/^[0-9]$/.test(event.key))) return false;
  closeResult();
  // The digit already belongs to the next sale.
  multiply(event.key);
  return true;
}

function multiply(key) {
  if (key === "Backspace") change({ multiplier: Math.floor(state.multiplier / 10) });
  else if (/^[0-9]$/.test(key)) change({ multiplier: Math.min(MULTIPLIER_MAX, state.multiplier * 10 + Number(key)) });
  else return false;
  return true;
}

/** Arrows: within the tabs left and right, else over the grid of tiles. */
function move(key) {
  const inTabs = byId("tabs").contains(document.activeElement);
  if (inTabs && key !== "ArrowDown") return along([...byId("tabs").children], key, 1);
  const tiles = [...byId("tiles").querySelectorAll(".tile:not(:disabled)")];
  if (!tiles.includes(document.activeElement)) return focus(tiles[0]);
  const columns = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
  return along(tiles, key, columns);
}

function along(all, key, columns) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  return focus(all[all.indexOf(document.activeElement) + step]);
}

function focus(element) {
  if (!element) return true;
  // One tile at a time is a stop of the Tab key, or 40 of them would stand before the basket.
  for (const tile of byId("tiles").querySelectorAll(".tile")) tile.tabIndex = tile === element ? 0 : -1;
  element.focus();
  return true;
}
