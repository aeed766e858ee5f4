// Category tabs and product tiles. Tiles are built when the catalogue, the tab or the currency changes; a tap on one only
// changes the figure on it.

import { add, money } from "./actions.js";
import { priceIn, quantityOf } from "./basket.js";
import { byId, el, fill } from "./dom.js";
import { change, codes, state } from "./store.js";
import { named, t } from "./words.js";

const TOKENS = 6;
let built = "";

export function draw({ catalogue, category, currency, lines, multiplier, past, receipt }) {
  byId("goods").hidden = past || receipt !== null;
  byId("multiplier").hidden = multiplier === 0;
  byId("multiplier").textContent = t("multiplier", { count: multiplier });
  if (!catalogue) return;
  const key = JSON.stringify([catalogue.version, category, currency]);
  if (key !== built) {
    built = key;
    drawTabs(catalogue, category);
    drawTiles(catalogue, category, currency);
  }
  for (const tile of byId("tiles").querySelectorAll(".tile")) mark(tile, quantityOf(lines, tile.dataset.key));
}

function categories(catalogue) {
  return [...new Set(catalogue.products.map((product) => product.category))];
}

function drawTabs(catalogue, category) {
  const all = categories(catalogue);
  const tab = (name, text) =>
    el(
      "button",
      {
        className: "tab",
        data: { key: `tab-${name ?? ""}` },
        aria: { pressed: String(name === category) },
        onclick: () => change({ category: name }),
      },
      text,
    );
  const ofCategory = (one) => {
    const { colour } = catalogue.products.find((product) => product.category === one);
    const button = tab(one, one);
    paint(button, catalogue, one, colour);
    return button;
  };
  const tabs = all.length < 2 ? [] : [tab(null, t("all")), ...all.map(ofCategory)];
  byId("tabs").hidden = tabs.length === 0;
  fill(byId("tabs"), ...tabs);
}

function drawTiles(catalogue, category, currency) {
  const shown = catalogue.products.filter((product) => category === null || product.category === category);
  const tiles = shown.map((product) => tileOf(catalogue, product, currency, category === null));
  const first = tiles[0];
  if (first) first.tabIndex = 0;
  fill(byId("tiles"), ...(tiles.length > 0 ? tiles : [empty()]));
  if (document.activeElement === document.body) byId("tiles").scrollTop = 0;
}

function empty() {
  return el("div", { className: "empty" }, el("h2", {}, t("products.none")), el("p", {}, t("products.none_help")));
}

function tileOf(catalogue, product, currency, withCategory) {
  const code = priceIn(product.id, state.products, codes(), currency);
  const price = code === null ? t("products.no_price") : money(product.prices[code], code);
  const tile = el(
    "button",
    {
      className: `tile ${code === currency ? "" : "elsewhere"}`,
      tabIndex: -1,
      disabled: code === null,
      data: { key: product.id },
      onclick: () => add(product.id),
    },
    el("span", { className: "tile-name" }, named(product.names)),
    el(
      "span",
      { className: "tile-foot" },
      el("span", { className: "tile-category" }, withCategory ? product.category : ""),
      el("span", { className: "tile-price" }, price),
    ),
    el("span", { className: "tile-count", hidden: true }),
  );
  paint(tile, catalogue, product.category, product.colour);
  return tile;
}

// The network's own colour where it gives one, else the tokens' grounds in turn. The name of the category is always written
// too, never the colour alone; the style sheet mixes the colour into the dark so far that text on it keeps its contrast.
function paint(element, catalogue, category, colour) {
  if (CSS.supports("color", colour)) {
    element.classList.add("painted");
    element.style.setProperty("--colour", colour);
  } else {
    element.classList.add(`ground-${(categories(catalogue).indexOf(category) % TOKENS) + 1}`);
  }
}

function mark(tile, quantity) {
  const badge = tile.querySelector(".tile-count");
  badge.hidden = quantity === 0;
  badge.textContent = t("tile.count", { count: quantity });
}
