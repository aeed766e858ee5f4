// The acts that staff can do beside selling, in the order of their tiles. Each is a module in acts/ that exports `act`:
//
//   id       the act's name, also in the agent's; its label is the text `act.<id>`
//   icon     of its tile
//   right    that staff need for it; null: anybody signed in
//   offline  whether it works without network: true, false, or a function of the state
//   reader   whether it needs a card on the reader
//   training whether it can be practised: it does nothing real in training mode
//   open()   what its tile does: ask for a card, or `show(id)` a panel of its own
//   panel()  the nodes of that panel, built once each time it is opened; `draw(state)` is called after every change
//   blocked(state)  a further reason why it can't be done now, in words, or null

import { act as balance } from "./acts/balance.js";
import { act as cash } from "./acts/cash.js";
import { act as credit } from "./acts/credit.js";
import { act as house } from "./acts/house.js";
import { act as openPrice } from "./acts/open_price.js";
import { act as payOther } from "./acts/pay_other.js";
import { act as refund } from "./acts/refund.js";
import { act as soldOut } from "./acts/sold_out.js";
import { act as split } from "./acts/split.js";
import { act as splitItems } from "./acts/split_items.js";
import { act as tabs } from "./acts/tabs.js";
import { act as tip } from "./acts/tip.js";
import { act as topUp } from "./acts/top_up.js";
import { act as session } from "./acts/session.js";
import { act as training } from "./acts/training.js";
import { act as undoLast } from "./acts/undo_last.js";
import { has, t } from "./words.js";

export const ACTS = [balance, tabs, topUp, tip, credit, refund, undoLast, soldOut, session, training];

// Panels of the basket's own: they are opened from it and from products, and have no tile in the sheet.
export const PANELS = [...ACTS, cash, payOther, house, split, splitItems, openPrice];

/** Why an act can't be done now, in words; null when it can. */
export function reasonAgainst(act, state) {
  const { screen, connected } = state;
  if (!connected) return t("more.no_agent");
  if (act.right && !screen.rights.includes(act.right)) return t("more.no_right", { right: rightName(act.right) });
  if (screen.training && !act.training) return t("more.training");
  if (screen.quarantined && act.reader) return t("more.quarantined");
  const offline = typeof act.offline === "function" ? act.offline(state) : act.offline;
  if (!screen.online && !offline) return t("more.only_online");
  if (act.reader && screen.reader === "lost") return t("more.no_reader");
  return act.blocked?.(state) ?? null;
}

function rightName(right) {
  return has(`right.${right}`) ? t(`right.${right}`) : right;
}
