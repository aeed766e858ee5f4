// The sheet over the page: the tiles of all acts, or the panel of one of them.

import { ACTS, PANELS, reasonAgainst } from "./acts.js";
import { byId, el, fill, icon } from "./dom.js";
import { change, state } from "./store.js";
import { t } from "./words.js";

const TILES = "tiles";
let built = null;

export function start() {
  byId("open-more").addEventListener("click", () => show(state.sheet === null ? TILES : null));
  byId("close-sheet").addEventListener("click", () => show(null));
}

/** Open the panel of an act, the sheet of tiles, or (null) close what is open. */
export function show(sheet) {
  change({ sheet, past: false, receipt: null });
}

export function draw(now) {
  const { screen, sheet } = now;
  if (screen && !screen.signed_in && sheet !== null) return show(null);
  const open = sheet !== null && Boolean(screen);
  byId("sheet").hidden = !open;
  byId("open-more").hidden = !screen?.signed_in;
  byId("open-more").setAttribute("aria-expanded", String(open));
  const key = open ? (sheet === TILES ? JSON.stringify([TILES, ACTS.map((act) => reasonAgainst(act, now))]) : sheet) : null;
  if (key !== built) {
    built = key;
    if (open) build(now);
  }
  PANELS.find(({ id }) => id === sheet)?.draw?.(now);
}

function build(now) {
  const act = PANELS.find(({ id }) => id === now.sheet);
  byId("sheet-title").textContent = act ? t(`act.${act.id}`) : t("more");
  if (act) byId("sheet-body").replaceChildren(...act.panel());
  else fill(byId("sheet-body"), el("div", { className: "acts" }, ...ACTS.map((one) => tileOf(one, now))));
}

function tileOf(act, now) {
  const against = reasonAgainst(act, now);
  return el(
    "button",
    { className: "act", data: { key: `act-${act.id}` }, disabled: against !== null, onclick: () => act.open() },
    icon(act.icon),
    el("span", {}, t(`act.${act.id}`)),
    against ? el("small", {}, against) : null,
  );
}
