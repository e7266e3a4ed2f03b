// Values and times as people read them: the person's zone and language, a real minus sign, no invented digits.

import { say } from "./device-words.js";

const named = document.documentElement.lang;
export const language = named === "en" ? "en-GB" : named || undefined; // 21 Nov, 24 hours
export const zone = document.body.dataset.timeZone || undefined; // without one: the browser's
const numbers = new Map();

function numberFormat(precision) {
  const key = precision ?? "free";
  if (!numbers.has(key)) {
    const digits = precision == null ? { maximumFractionDigits: 6 } : { minimumFractionDigits: precision, maximumFractionDigits: precision };
    numbers.set(key, new Intl.NumberFormat(language, digits));
  }
  return numbers.get(key);
}

/** A number with its precision, grouped by locale; `null` where there is none. */
export function number(value, precision) {
  if (typeof value === "bigint") return value.toLocaleString(language).replace("-", "\u2212");
  return numberFormat(precision).format(value).replace("-", "\u2212");
}

/** Any value as one line of text. */
export function shown(value, precision) {
  if (value === null || value === undefined) return "\u2013";
  if (typeof value === "number" || typeof value === "bigint") return number(value, precision);
  if (typeof value === "boolean") return say(value ? "true" : "false");
  return typeof value === "string" ? value : json(value);
}

/** JSON text of any value, integers beyond 2^53 with all their digits. */
export function json(value) {
  const raw = (number) => JSON.rawJSON?.(number.toString()) ?? number.toString();
  return JSON.stringify(value, (key, each) => (typeof each === "bigint" ? raw(each) : each));
}

/** A value with its unit: a space before it, none before a bare degree sign. */
export function withUnit(text, unit) {
  if (!unit) return text;
  return unit === "\u00b0" ? text + unit : `${text} ${unit}`;
}

const formats = new Map();

function timeFormat(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language, { timeZone: zone, hourCycle: "h23", ...options }));
  return formats.get(key);
}

const CLOCK = { hour: "2-digit", minute: "2-digit" };
const DAY = { day: "numeric", month: "short" };

export const clock = (ms) => timeFormat(CLOCK).format(ms);
export const clockSeconds = (ms) => timeFormat({ ...CLOCK, second: "2-digit" }).format(ms);
export const clockMillis = (ms) => timeFormat({ ...CLOCK, second: "2-digit", fractionalSecondDigits: 3 }).format(ms);
export const day = (ms) => timeFormat(DAY).format(ms);
export const moment = (ms) => timeFormat({ ...DAY, ...CLOCK }).format(ms);
export const exact = (ms) => timeFormat({ ...DAY, year: "numeric", ...CLOCK, second: "2-digit" }).format(ms);

/** How far the zone's clock is ahead of UTC at an instant, in ms. */
export function offsetAt(ms) {
  const parts = {};
  const format = timeFormat({ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", calendar: "gregory", numberingSystem: "latn" });
  for (const part of format.formatToParts(ms)) parts[part.type] = Number(part.value);
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - Math.floor(ms / 1000) * 1000;
}

const pad = (number) => String(number).padStart(2, "0");

/** An instant as the value of a `datetime-local` field, in the person's zone. */
export function toField(ms) {
  const local = new Date(ms + offsetAt(ms));
  return `${local.getUTCFullYear()}-${pad(local.getUTCMonth() + 1)}-${pad(local.getUTCDate())}T${pad(local.getUTCHours())}:${pad(local.getUTCMinutes())}`;
}

/** The instant that such a field means; NaN where it is empty. */
export function fromField(text) {
  const asIfUtc = Date.parse(`${text}Z`);
  const guess = asIfUtc - offsetAt(asIfUtc || 0);
  return asIfUtc - offsetAt(guess || 0); // the offset of the guess may be another: summer time
}

/** Today's times as a clock, older ones with their day, or `short`: the day alone. */
export function brief(ms, now, short = false) {
  const today = Math.floor((now + offsetAt(now)) / 86_400_000) === Math.floor((ms + offsetAt(ms)) / 86_400_000);
  if (short) return today ? clock(ms) : day(ms);
  return today ? clockSeconds(ms) : moment(ms);
}
