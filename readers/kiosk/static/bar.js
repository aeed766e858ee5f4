// The thin bar that always tells: venue, terminal, who is signed in, network, waiting sales, reader.

import { byId, el, fill, icon } from "./dom.js";
import { change, state } from "./store.js";
import { signOut } from "./actions.js";
import { clock, count, t } from "./words.js";

let told = "";

export function start() {
  byId("sign-out").addEventListener("click", signOut);
  byId("open-past").addEventListener("click", () => change({ past: !state.past, receipt: null, sheet: null }));
}

export function draw({ screen, connected, past }) {
  byId("lost").hidden = connected;
  if (!screen) return;
  byId("who").textContent = shortly(screen.signed_in ?? "");
  // What is told already is left alone, or a screen reader would tell it again.
  const { venue, terminal, online, offline_since_us, to_send, reader, site } = screen;
  const key = JSON.stringify([connected, venue, terminal, online, offline_since_us, to_send, reader, site]);
  if (key !== told) {
    told = key;
    fill(byId("place"), el("strong", {}, screen.venue), " ", el("span", {}, screen.terminal));
    fill(byId("signs"), ...(connected ? signs(screen) : []));
  }
  for (const id of ["sign-out", "open-past"]) byId(id).hidden = !screen.signed_in;
  byId("open-door").hidden = !screen.signed_in || !screen.door;
  byId("open-past").setAttribute("aria-expanded", String(past));
}

function signs(screen) {
  const lost = screen.reader === "lost";
  return [
    screen.online ? sign("online", t("bar.online"), "fine") : sign("offline", offlineSince(screen), "calm since"),
    screen.to_send > 0 ? waitingSign(screen.to_send) : null,
    screen.site ? siteSign(screen.site) : null,
    sign(lost ? "warn" : "tap", t(lost ? "bar.reader_lost" : "bar.reader_ok"), lost ? "warn" : "fine"),
  ].filter((one) => one !== null);
}

function sign(name, text, kind) {
  return el("li", { className: `sign ${kind}` }, icon(name), el("span", {}, text));
}

// On a narrow bar only the figure is seen.
function waitingSign(sales) {
  const one = sign("clock", count("bar.waiting", sales), "calm waiting");
  one.dataset.count = sales;
  return one;
}

// The other tills that know what is sold here, and whose sales this one knows. Only a wide bar has room for it all.
function siteSign({ terminals, lost }) {
  if (lost) return sign("warn", t("bar.site_lost"), "warn");
  if (terminals === 0) return sign("store", t("bar.site_alone"), "fine");
  const one = sign("store", count("bar.site", terminals), "fine site");
  one.dataset.short = count("bar.site_short", terminals);
  one.dataset.count = terminals;
  return one;
}

function offlineSince(screen) {
  const since = screen.offline_since_us;
  return since === null ? t("bar.offline") : t("bar.offline_since", { time: clock(since) });
}

// A terminal knows no names of people; the end of the id tells two of them apart.
function shortly(id) {
  return id.slice(-4).toUpperCase();
}
