// Category tabs and product tiles. Tiles are built when the catalogue, the tab or the currency changes; a tap on one only
// changes the figure on it.

import { add, money } from "./actions.js";
import { priceIn, quantityOf } from "./basket.js";
import { byId, el, fill } from "./dom.js";
import { show } from "./sheet.js";
import { change, codes, state } from "./store.js";
import { named, t } from "./words.js";

const TOKENS = 6;
let built = "";

export function draw({ screen, catalogue, category, currency, lines, multiplier, past, receipt }) {
  byId("goods").hidden = past || receipt !== null;
  byId("multiplier").hidden = multiplier === 0;
  byId("multiplier").textContent = t("multiplier", { count: multiplier });
  if (!catalogue) return;
  const mayType = screen?.rights?.includes("open_price") ?? false;
  const key = JSON.stringify([catalogue.version, category, currency, mayType]);
  if (key !== built) {
    built = key;
    drawTabs(catalogue, category);
    drawTiles(catalogue, category, currency, mayType);
  }
  for (const tile of byId("tiles").querySelectorAll(".tile")) {
    mark(tile, quantityOf(lines, tile.dataset.product, tile.dataset.kind));
  }
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

function drawTiles(catalogue, category, currency, mayType) {
  const shown = catalogue.products.filter((product) => category === null || product.category === category);
  const tiles = shown.flatMap((product) =>
    (product.kind === "deposit" ? [undefined, "back"] : [undefined]).map((kind) =>
      tileOf(catalogue, product, kind, currency, category === null, mayType),
    ),
  );
  const first = tiles[0];
  if (first) first.tabIndex = 0;
  fill(byId("tiles"), ...(tiles.length > 0 ? tiles : [empty()]));
  if (document.activeElement === document.body) byId("tiles").scrollTop = 0;
}

function empty() {
  return el("div", { className: "empty" }, el("h2", {}, t("products.none")), el("p", {}, t("products.none_help")));
}

function tileOf(catalogue, product, kind, currency, withCategory, mayType) {
  const { id, open_price: open, sold_out: gone } = product;
  const code = priceIn(id, state.products, codes(), currency);
  const types = open && mayType;
  const name = named(product.names);
  // A cup that comes back does so whether or not there are any left.
  const soldOut = gone && kind !== "back";
  const tile = el(
    "button",
    {
      className: `tile ${code === currency || types ? "" : "elsewhere"} ${soldOut ? "sold-out" : ""}`,
      tabIndex: -1,
      disabled: soldOut || (code === null && !types),
      data: { key: kind ? `${id}:${kind}` : id, product: id, ...(kind ? { kind } : {}) },
      onclick: () => (types ? type(product) : add({ product: id, ...(kind ? { kind } : {}) })),
    },
    el("span", { className: "tile-name" }, kind ? t("tile.back", { product: name }) : name),
    el(
      "span",
      { className: "tile-foot" },
      el("span", { className: "tile-category" }, withCategory ? product.category : ""),
      el("span", { className: "tile-price" }, soldOut ? t("sold_out") : priceOf(product, code, kind, types)),
    ),
    el("span", { className: "tile-count", hidden: true }),
  );
  paint(tile, catalogue, product.category, product.colour);
  return tile;
}

function priceOf({ prices, kind: nature, open_price: open }, code, kind, types) {
  if (types) return t("open_price.tile");
  if (code === null) return open ? t("more.no_right", { right: t("right.open_price") }) : t("products.no_price");
  return money(kind === "back" || nature === "return" ? -prices[code] : prices[code], code);
}

function type(product) {
  state.typing = product;
  show("open_price");
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
