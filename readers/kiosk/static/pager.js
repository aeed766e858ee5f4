// Two buttons beside each list that can be longer than its place: wet fingers tap, they don't swipe.

import { byId } from "./dom.js";

// A little less than a page, so that the last row seen is seen again.
const SHARE = 0.85;

export function start() {
  for (const pager of pagers()) {
    const list = byId(pager.dataset.list);
    const behaviour = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    for (const button of pager.children) {
      const way = Number(button.dataset.way);
      button.addEventListener("click", () => list.scrollBy({ top: way * SHARE * list.clientHeight, behavior: behaviour }));
    }
    list.addEventListener("scroll", draw, { passive: true });
    new ResizeObserver(draw).observe(list);
  }
}

export function draw() {
  for (const pager of pagers()) {
    const { clientHeight, scrollHeight, scrollTop } = byId(pager.dataset.list);
    const [up, down] = pager.children;
    // A pixel of play: a scrolled distance may be a fraction, the two heights never are.
    pager.classList.toggle("idle", scrollHeight <= clientHeight + 1);
    up.disabled = scrollTop <= 1;
    down.disabled = scrollTop + clientHeight >= scrollHeight - 1;
  }
}

function pagers() {
  return document.querySelectorAll(".pager");
}
