// The page's words: a document of texts by key, rendered into the page by the server. No text stands in the scripts.

const words = JSON.parse(document.body.dataset.words);

export const language = document.documentElement.lang;

const plurals = new Intl.PluralRules(language);

/** The text of a key, its {placeholders} filled in. A key without text throws, so that a test sees it. */
export function t(key, values = {}) {
  if (!(key in words)) throw new Error(`no words for ${key}`);
  return words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Whether there are words for a key: reasons come from the agent, and may be newer than this page. */
export function has(key) {
  return key in words;
}

/** The text of `key.one` or `key.other`, whichever the language uses for this count. */
export function count(key, number) {
  return t(`${key}.${plurals.select(number) === "one" ? "one" : "other"}`, { count: number });
}

/** A name in the page's language, from names by language; any name rather than none. */
export function named(names) {
  return names[language] ?? names.fr ?? Object.values(names)[0] ?? "";
}

const SIX_DAYS_MS = 6 * 24 * 3600 * 1000;

/** An instant (microseconds since the epoch) as the time on the wall; with its day when that is not today, and with its
 * date when the day alone names more than one. */
export function clock(atUs) {
  const at = new Date(atUs / 1000);
  const two = (number) => String(number).padStart(2, "0");
  const time = t("clock", { hour: two(at.getHours()), minute: two(at.getMinutes()) });
  if (at.toDateString() === new Date().toDateString()) return time;
  const old = Date.now() - at > SIX_DAYS_MS;
  const day = new Intl.DateTimeFormat(language, old ? { day: "numeric", month: "short" } : { weekday: "short" }).format(at);
  return t("clock.day", { day, time });
}

/** A day in ISO 8601, in words with its year. */
export function day(iso) {
  const [year, month, date] = iso.split("-").map(Number);
  const whole = { day: "numeric", month: "long", year: "numeric" };
  return new Intl.DateTimeFormat(language, whole).format(new Date(year, month - 1, date));
}
