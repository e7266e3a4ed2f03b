// The page's one connection to /ws/live/. Parts of the page watch devices; the connection opens with the first watch,
// comes back by itself with growing pauses, and says its state in the header. Import it, never load it as a script of
// its own: a second address would be a second connection.

const PATH = "/ws/live/";
const PAUSES = [1, 2, 4, 8, 15, 30]; // seconds before each further try
const PING_EVERY = 20_000; // an empty wish is answered at once, so it tells a dead line from a quiet one
const SILENT_AFTER = 30_000;
const PING = { unsubscribe: { devices: [] } };

const watchers = new Set();
let socket = null;
let tries = 0;
let heardAt = 0;
let retryAt = 0;
let wasLost = false;
let isNew = false;
const LISTS = ["devices", "frames"], SWITCHES = ["alarms", "commands", "shadows", "notices"];
const nothing = () => ({ devices: new Set(), frames: new Set(), notices: new Set() });
let subscribed = nothing();

/** Integers beyond 2^53 keep their digits: they arrive as BigInt. */
export function parse(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (key, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "") ? BigInt(context.source) : value,
  );
}

function wanted() {
  const union = (name) => new Set([...watchers].flatMap((watcher) => watcher[name]));
  return { devices: union("devices"), frames: union("frames"), notices: union("notices") };
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function subscribe() {
  const now = wanted();
  const lists = (from, without) => {
    const all = LISTS.map((name) => [name, [...from[name]].filter((key) => !without[name].has(key))]);
    const switches = SWITCHES.filter((name) => from.notices.has(name) && !without.notices.has(name)).map((name) => [name, true]);
    return Object.fromEntries([...all.filter(([, keys]) => keys.length), ...switches]);
  };
  const gone = lists(subscribed, now), fresh = lists(now, subscribed);
  subscribed = now;
  if (Object.keys(gone).length) send({ unsubscribe: gone });
  if (Object.keys(fresh).length) send({ subscribe: fresh });
}

function tell(name, ...values) {
  for (const { handlers } of [...watchers]) handlers[name]?.(...values);
}

function onMessage(event) {
  heardAt = Date.now();
  const message = parse(event.data);
  if (message.type === "readings") tell("readings", message.data);
  else if (message.type === "status") tell("status", message.data);
  else if (message.type === "frames") tell("frames", message.data);
  else if (message.type === "alarm") tell("alarm", message.data);
  else if (message.type === "command") tell("command", message.data);
  else if (message.type === "shadow") tell("shadow", message.data);
  else if (message.type === "notice") tell("notice", message.data);
  else if (message.type === "subscribed") onSubscribed();
}

function onSubscribed() {
  tries = 0;
  show("live");
  if (isNew) tell(wasLost ? "back" : "began"); // what passed meanwhile has to be fetched
  isNew = wasLost = false;
}

function connect() {
  if (socket || !watchers.size) return;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  retryAt = 0;
  heardAt = Date.now();
  const tenant = document.body.dataset.tenant; // whoever has several works in one at a time
  socket = new WebSocket(`${scheme}//${location.host}${PATH}${tenant ? `?tenant=${encodeURIComponent(tenant)}` : ""}`);
  isNew = true;
  const mine = socket; // one that was given up may still say something
  mine.addEventListener("open", () => mine === socket && subscribe());
  mine.addEventListener("message", (event) => mine === socket && onMessage(event));
  mine.addEventListener("close", () => mine === socket && onClose());
}

function onClose() {
  socket = null;
  subscribed = nothing();
  if (!watchers.size) return show("paused");
  wasLost = true;
  const pause = PAUSES[Math.min(tries++, PAUSES.length - 1)] * 1000;
  retryAt = Date.now() + pause * (0.75 + Math.random() / 2); // not all browsers at once after a restart
  show("lost");
}

/** Once a second: try again when it is time, count down in words, notice a line that died without a word. */
function beat() {
  if (retryAt && Date.now() >= retryAt) connect();
  else if (retryAt) show("lost");
  if (socket?.readyState === WebSocket.OPEN && Date.now() - heardAt > SILENT_AFTER) socket.close();
}

/** The network is gone: say so now, not when the silence has become long. If the server is reached all the same, that shows within a second. */
function giveUp() {
  const gone = socket;
  if (!gone) return;
  onClose();
  gone.close();
}

function hurry() {
  if (retryAt && !document.hidden) connect();
}

function show(state) {
  const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  document.querySelectorAll("[data-live]").forEach((mark) => {
    const words = (mark.dataset[`${state}Text`] ?? "").replace("SECONDS", seconds);
    mark.dataset.state = state;
    if (mark.textContent !== words) mark.textContent = words;
  });
  document.documentElement.dataset.connection = state; // for style sheets and tests
}

/**
 * Watches devices by key. `handlers` may have `readings(rows)` with rows `[key, property, ms, value]`,
 * `status(rows)` with rows `[key, online, ms]`, and `back()` after a loss. Readings catch up by themselves at the start;
 * whoever shows something else fetches in `began()` what passed between page and connection. With `raw: true` their raw frames come
 * to `frames(list)` too; with `notices: ["alarms", "commands"]` each alarm and command of the tenant comes to
 * `alarm(data)` and `command(data)`. Returns the function that ends it.
 */
export function watch(keys, { raw = false, notices = [], ...handlers }) {
  const watcher = { handlers, devices: [...keys], frames: raw ? [...keys] : [], notices };
  watchers.add(watcher);
  if (socket?.readyState === WebSocket.OPEN) subscribe();
  else if (!retryAt) connect();
  return () => {
    watchers.delete(watcher);
    if (!watchers.size) socket?.close();
    else subscribe();
  };
}

setInterval(beat, 1000);
setInterval(() => send(PING), PING_EVERY);
addEventListener("online", hurry);
addEventListener("offline", giveUp);
document.addEventListener("visibilitychange", hurry);
