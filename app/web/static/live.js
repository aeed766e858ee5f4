// Keeps an open page current: every few seconds, while it is looked at, it asks for what may have changed.
// The page is whole without it.

const EVERY_MS = 5000;
const page = document.querySelector("[data-now]");

function replace(fresh) {
  for (const piece of page.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${piece.dataset.live}"]`);
    // What stays the same is left alone: a reader's place, and what a screen reader has said already.
    if (other && other.innerHTML.trim() !== piece.innerHTML.trim()) piece.innerHTML = other.innerHTML;
  }
}

function tell(lost) {
  for (const words of page.querySelectorAll("[data-when]")) words.hidden = (words.dataset.when === "lost") !== lost;
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(page.dataset.now, { signal: AbortSignal.timeout(EVERY_MS) });
    if (!answer.ok) throw new Error(answer.statusText);
    replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    tell(false);
  } catch {
    tell(true);
  }
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
window.addEventListener("pageshow", (event) => event.persisted && refresh());
