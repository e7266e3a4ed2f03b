// The service worker: keeps the page that says "no connection" and its looks, and nothing else. Pages, answers of the
// API, what is sent and live connections pass it by; only where a page cannot be fetched it answers in its place.
// It also shows what is pushed to this browser (rules/push), and where a click on it leads: to a page of ours, nowhere else.
// Where the browser replaces its subscription, we are told of the new one.

const KEPT = {{ kept }};
const TOLD = "push"; // what the account's page notes: this browser's endpoint, where it is told
const SEVERE = ["critical", "major"]; // stays until it is seen

self.addEventListener("install", (event) => {
  self.skipWaiting(); // a new version needs nothing of the old one
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(offline));
  else if (KEPT.files.includes(new URL(request.url).pathname)) event.respondWith(kept(request));
});

async function keep() {
  const cache = await caches.open(KEPT.name);
  // Without cookies: what is kept is what a stranger would be shown.
  await cache.addAll([KEPT.page, ...KEPT.files].map((path) => new Request(path, { credentials: "omit" })));
}

async function tidy() {
  const others = (await caches.keys()).filter((name) => name.startsWith("iotpanel-") && name !== KEPT.name);
  await Promise.all(others.map((name) => caches.delete(name)));
}

const find = async (path) => (await caches.open(KEPT.name)).match(path, { ignoreVary: true });
const kept = async (request) => (await find(request.url)) ?? fetch(request);

async function offline() {
  const page = await find(KEPT.page);
  if (!page) return Response.error();
  return new Response(page.body, { status: 503, headers: page.headers }); // with its content policy
}

self.addEventListener("push", (event) => {
  event.waitUntil(tell(event.data));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data?.url ?? ours("/")));
});

/** Browsers demand that something is shown, also of a message that makes no sense. */
async function tell(data) {
  const said = read(data), text = (name) => (typeof said[name] === "string" ? said[name] : "");
  await self.registration.showNotification(text("title") || KEPT.title[navigator.language.startsWith("zh") ? "zh-hans" : "en"], {
    body: text("body"),
    lang: text("lang"),
    tag: text("tag"), // the same message again takes the place of the first
    icon: KEPT.icon,
    requireInteraction: SEVERE.includes(said.severity),
    data: { url: ours(said.url) },
  });
}

function read(data) {
  try { return Object(data?.json()); } catch (error) { return {}; }
}

/** The address where it is one of ours; else that of the first page. */
function ours(address) {
  try {
    const found = new URL(typeof address === "string" ? address : "/", self.location.origin);
    if (found.origin === self.location.origin && found.protocol === self.location.protocol) return found.href; // blob: has our origin too
  } catch (error) { /* no address at all */ }
  return `${self.location.origin}/`;
}

/** To the window that shows it, else a new one: what is typed in another is not lost for it. */
async function lead(address) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = windows.find((each) => each.url === address);
  if (open) await open.focus();
  else await self.clients.openWindow(address);
}

self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew(event.oldSubscription, event.newSubscription));
});

/** In the session of who is signed in here. Not every browser says what there was before: the account's page has noted it. */
async function renew(before, after) {
  const told = await caches.open(TOLD), old = before?.endpoint ?? await (await told.match(KEPT.renew))?.text();
  if (!old) return; // nobody is told here
  const asked = await fetch(KEPT.renew, { redirect: "error", headers: { Accept: "application/json" } }); // to sign in: not from here
  if (!asked.ok) return;
  const { key, token } = await asked.json();
  const now = after ?? await subscription(key);
  if (!now) return;
  const { endpoint, keys } = now.toJSON();
  const body = new URLSearchParams({ old, endpoint, p256dh: keys.p256dh, auth: keys.auth, csrfmiddlewaretoken: token });
  const answer = await fetch(KEPT.renew, { method: "POST", body, redirect: "error", headers: { Accept: "application/json" } });
  if (answer.ok) await told.put(KEPT.renew, new Response(endpoint));
}

async function subscription(key) {
  if (!key) return null; // the operator set none any more
  const bytes = Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
  return self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes });
}
