// A page that waits for something looks again every few seconds, and shows the answer once there is one.
// Without scripts the page reloads itself.

const EVERY_MS = 3000;

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(EVERY_MS * 3) });
    if (answer.ok && !(await answer.text()).includes("data-waiting")) location.reload();
  } catch {
    // No connection just now: the next look may have one.
  }
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
