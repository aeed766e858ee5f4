// The staff screen: wires the agent's events to the store, and the store to the views.

import { refreshCatalogue } from "./actions.js";
import { noticeCard } from "./acts/balance.js";
import { askForSession } from "./acts/session.js";
import { follow } from "./api.js";
import * as bar from "./bar.js";
import * as basketPane from "./basket_pane.js";
import * as goods from "./goods.js";
import * as keys from "./keys.js";
import * as pager from "./pager.js";
import * as past from "./past.js";
import * as receipt from "./receipt.js";
import * as sheet from "./sheet.js";
import * as signIn from "./sign_in.js";
import * as stateView from "./state_view.js";
import * as training from "./training.js";
import { change, onChange, recall, state, takeScreen } from "./store.js";

recall();
for (const view of [bar, signIn, goods, basketPane, past, receipt, sheet, training, stateView, pager]) {
  view.start?.();
  onChange(view.draw);
}
onChange(noticeCard);
onChange(askForSession);
keys.start();

follow(
  (screen) => {
    const stale = state.catalogue?.version !== screen.catalogue_version || !state.connected;
    // Cards are asked for tickets now: that is said on the door's own page.
    if (screen.signed_in && screen.door?.on) location.replace("/door");
    takeScreen(screen);
    if (stale) refreshCatalogue();
  },
  () => change({ connected: false }),
);
