// Amounts as the server writes them (app.money.format_amount): a test holds both to the same table of examples.

const NARROW = "\u202f";
const SPACE = "\u00a0";
const MINUS = "\u2212";

/** Whole minor units as text. `unit` is "cent", "minute" or "point". */
export function formatAmount(minor, unit, symbol, language) {
  const sign = minor < 0 ? MINUS : "";
  const figures = Math.abs(minor);
  if (unit === "minute") return sign + minutes(figures, language);
  if (unit === "point") return sign + grouped(figures, language) + SPACE + symbol;
  const cents = String(figures % 100).padStart(2, "0");
  const text = grouped(Math.floor(figures / 100), language) + (language === "fr" ? "," : ".") + cents;
  if (language === "fr" || [...symbol].length > 1) return sign + text + SPACE + symbol;
  return sign + symbol + text;
}

function minutes(figures, language) {
  const hours = Math.floor(figures / 60);
  const rest = figures % 60;
  if (hours === 0) return `${rest}${SPACE}min`;
  return `${grouped(hours, language)}${SPACE}h` + (rest ? SPACE + String(rest).padStart(2, "0") : "");
}

function grouped(number, language) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, language === "fr" ? NARROW : ",");
}
