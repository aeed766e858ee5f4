// Training mode is marked on every screen, and left with one press.

import { command } from "./actions.js";
import { byId } from "./dom.js";
import { change } from "./store.js";

export function start() {
  byId("leave-training").addEventListener("click", () => train(false));
}

export function draw({ screen, connected }) {
  const on = screen?.training ?? false;
  byId("training").hidden = !on;
  document.body.classList.toggle("in-training", on);
  byId("leave-training").hidden = !screen?.signed_in;
  byId("leave-training").disabled = !connected;
}

/** What was practised is nobody's basket, and what was typed before is not to be practised. */
export async function train(on) {
  if (await command("train", { on })) change({ lines: [], receipt: null, past: false, sheet: null, asked: null });
}
