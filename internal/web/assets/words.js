// Times and numbers as people read them.

let offset = 0; // of the daemon's clock from this one's, in milliseconds

// learn takes over the daemon's clock: a browser's own may be off.
export function learn(at) {
  offset = Date.parse(at) - Date.now();
}

export const now = () => Date.now() + offset;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const hours = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

// timeOf gives the time of the day, with the day where it is another.
export const timeOf = (t) => (sameDay(t, now()) ? "" : day.format(t) + ", ") + clock.format(t);
export const hourOf = (t) => hours.format(t);
export const dayOf = (t) => day.format(t);
export const fullTime = (t) => whole.format(t);

// lasting says how long so many milliseconds are.
export function lasting(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 && minutes < 10 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const h = Math.floor(minutes / 60);
  if (h < 48) return minutes % 60 ? `${h} h ${minutes % 60} min` : `${h} h`;
  return `${Math.floor(h / 24)} days`;
}

export const ago = (t) => lasting(now() - t) + " ago";
export const left = (t) => (t > now() ? lasting(t - now()) + " left" : "over now");

const few = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const many = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

export function amount(value, unit) {
  const text = Math.abs(value) >= 1000 ? many.format(value) : few.format(value);
  return unit === "percent" ? text + " %" : unit === "times" ? text + " ×" : text;
}

// spoken turns a CamelCase token into words.
export function spoken(token) {
  const text = (token || "").replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return text.charAt(0) + text.slice(1).toLowerCase();
}

export const plural = (n, one, more) => `${n} ${n === 1 ? one : more || one + "s"}`;
