// What is on a card: asked for here, or by laying a card down while nothing is in the basket.

import { perform } from "../actions.js";

export const act = {
  id: "balance",
  icon: "search",
  right: null,
  offline: true,
  reader: true,
  open: () => perform("balance"),
};

let lay = null;

/** A card that is laid down while nothing else is going on is one that somebody wants to know about. */
export function noticeCard({ screen, connected, lines, sheet, past, busy }) {
  const lies = Boolean(screen?.card);
  const came = lies && lay === false;
  lay = screen ? lies : null;
  const idle = screen?.phase === "ready" && lines.length === 0 && sheet === null && !past && !busy;
  if (came && idle && connected && screen.signed_in) perform("balance", {}, { quietly: true });
}
