// The service worker: keeps the page that says "no connection" and its looks, and nothing else. Pages, answers of the
// API, what is sent and live connections pass it by; only where a page cannot be fetched it answers in its place.

const KEPT = {{ kept }};

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
