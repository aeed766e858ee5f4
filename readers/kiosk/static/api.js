// The agent, as the page speaks to it: commands by POST, its screen by server-sent events.

// The agent gives a sign of life every 10 s; after this time without one it is lost, whatever the connection says.
const SILENCE_MS = 25_000;
const RETRY_MS = 1000;
// A command takes well under a second; an agent that stopped must not keep the button waiting for ever.
const ANSWER_MS = 10_000;

/** A command that was not carried out; `reason` is a stable word. */
export class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export async function post(command, body = {}) {
  let response;
  try {
    response = await fetch(`/api/${command}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch {
    throw new Refused("no_answer");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Refused(problem.reason ?? "no_answer");
}

export async function fetchCatalogue() {
  const response = await fetch("/api/catalogue");
  if (!response.ok) throw new Refused("no_answer");
  return response.json();
}

/** The receipt of one of the last sales: {sale, number, address, text}. */
export const fetchReceipt = (sale) => fetchFresh(`/api/receipts/${sale}`);

/** The venue's open tabs. */
export const fetchTabs = () => fetchFresh("/api/tabs");

async function fetchFresh(path) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    throw new Refused("no_answer");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Refused(problem.reason ?? "no_answer");
}

/** Follow the agent's screen for as long as the page lives: `onScreen(screen)` for each, `onLost()` when it is silent. */
export function follow(onScreen, onLost) {
  let source;
  let silence;
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE_MS);
  };
  const again = () => {
    source.close();
    clearTimeout(silence);
    onLost();
    setTimeout(connect, RETRY_MS);
  };
  const connect = () => {
    source = new EventSource("/api/events");
    source.addEventListener("screen", (event) => {
      alive();
      onScreen(JSON.parse(event.data));
    });
    source.addEventListener("alive", alive);
    source.addEventListener("error", again);
    alive();
  };
  connect();
}
