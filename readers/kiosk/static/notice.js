// The one line above the total: the most pressing thing staff should know now, or how the last sale ended.

import { sum } from "./actions.js";
import { formatAmount } from "./money.js";
import { clock, count, has, language, t } from "./words.js";

/** {kind, icon, text}, or null when there is nothing to say. `kind`: warn, calm or quiet. */
export function notice({ screen, last, dropped }) {
  if (screen.quarantined) return warn(t("notice.quarantined"));
  if (screen.clock_skewed) return warn(t("notice.clock"));
  if (screen.reader === "lost") return warn(t("notice.reader_lost"));
  if (screen.snapshot_age_s === null) return warn(t("notice.no_snapshot"));
  // The button to pay by card is grey then: this is why.
  if (screen.no_cards) return warn(`${t(`refusal.${screen.no_cards}`)}. ${t(`refusal.${screen.no_cards}.next`)}`);
  if (screen.hint) return warn(t(`hint.${screen.hint}`));
  if (dropped > 0) return warn(count("notice.dropped", dropped));
  if (screen.snapshot_stale) {
    const age = formatAmount(Math.round(screen.snapshot_age_s / 60), "minute", "", language);
    return warn(t(screen.lowered ? "notice.lowered" : "notice.stale", { age }));
  }
  if (!screen.online && screen.site?.lost) return warn(t("notice.site_lost"));
  if (!screen.online) return { kind: "calm", icon: "offline", text: t("notice.offline") };
  return lastSale(screen.last_sales.find(({ act }) => !act), last);
}

function warn(text) {
  return { kind: "warn", icon: "warn", text };
}

function lastSale(sale, last) {
  if (last?.reason && last.at_us > (sale?.at_us ?? 0)) {
    const why = has(`refusal.${last.reason}`) ? t(`refusal.${last.reason}`) : t("refusal.other");
    return { kind: "quiet", icon: "refused", text: t("notice.last_refused", { why, time: clock(last.at_us) }) };
  }
  if (!sale) return null;
  const [amount, time] = [sum(sale.price), clock(sale.at_us)];
  const cash = sale.rest.find(({ given, minor }) => given !== null && given > minor);
  const text =
    cash && !sale.voided
      ? t("notice.last_change", { amount, time, change: sum([{ minor: cash.given - cash.minor, currency: cash.currency }]) })
      : t(sale.voided ? "notice.last_voided" : "notice.last_paid", { amount, time });
  return { kind: "quiet", icon: sale.voided ? "undo" : "check", text };
}
