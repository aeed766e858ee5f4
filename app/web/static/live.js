// Keeps an open page current while it is looked at: it asks for what may have changed as soon as the server says that
// something did, and every few seconds as long as no such word comes through. The page is whole without it.

const EVERY_MS = 5000;
const EVERY_MS_WHEN_TOLD = 30000;
const page = document.querySelector("[data-now]");
let stream = null;
// What happened between the page and its stream is asked for once.
let askedAtMs = 0;
let lost = false;

function replace(fresh) {
  for (const piece of page.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${piece.dataset.live}"]`);
    // What stays the same is left alone: a reader's place, and what a screen reader has said already.
    if (other && other.innerHTML.trim() !== piece.innerHTML.trim()) piece.innerHTML = other.innerHTML;
  }
}

function tell(isLost) {
  lost = isLost;
  for (const words of page.querySelectorAll("[data-when]")) words.hidden = (words.dataset.when === "lost") !== lost;
}

async function refresh() {
  if (document.hidden) return;
  askedAtMs = Date.now();
  try {
    const answer = await fetch(page.dataset.now, { signal: AbortSignal.timeout(EVERY_MS) });
    if (!answer.ok) throw new Error(answer.statusText);
    replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    tell(false);
  } catch {
    tell(true);
  }
}

function isTold() {
  return stream?.readyState === EventSource.OPEN;
}

// A page that nobody looks at holds no connection.
function listen() {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (page.dataset.events && (!stream || stream.readyState === EventSource.CLOSED)) {
    stream = new EventSource(page.dataset.events);
    stream.addEventListener("moved", refresh);
    stream.addEventListener("error", refresh);
  }
}

setInterval(() => {
  listen();
  if (lost || !isTold() || Date.now() - askedAtMs >= EVERY_MS_WHEN_TOLD) refresh();
}, EVERY_MS);
document.addEventListener("visibilitychange", () => {
  listen();
  refresh();
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) refresh();
});
for (const change of ["online", "offline"]) window.addEventListener(change, refresh);
listen();
