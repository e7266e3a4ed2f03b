// The account's page: being told in this browser. The browser is asked for its permission on a click, and never before.

const section = document.querySelector("[data-push]");

/** What stands in the way here, or nothing. */
function obstacle() {
  if (!isSecureContext) return "insecure";
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return "unable";
  return Notification.permission === "denied" ? "blocked" : "";
}

function showState(state) {
  for (const each of section.querySelectorAll("[data-push-says]")) each.hidden = each.dataset.pushSays !== state;
  section.querySelector("[data-push-start]").hidden = state !== "";
}

function complain(text) {
  const place = section.querySelector("[data-push-problem]");
  place.querySelector("p").textContent = text;
  place.hidden = !text;
}

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
const same = (one, other) => Boolean(one) && String(new Uint8Array(one)) === String(other);

async function digest(text) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (each) => each.toString(16).padStart(2, "0")).join("");
}

/** This browser's own subscription, and its row in the list where it is one of mine. */
async function mine() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  const subscription = await registration?.pushManager.getSubscription();
  const row = subscription && section.querySelector(`[data-browser="${await digest(subscription.endpoint)}"]`);
  return { subscription, row };
}

async function subscribe() {
  const manager = (await navigator.serviceWorker.ready).pushManager, key = bytes(section.dataset.key);
  const old = await manager.getSubscription();
  if (old && !same(old.options.applicationServerKey, key)) await old.unsubscribe(); // made with a key that is ours no longer
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

async function tell(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const body = new URLSearchParams({ endpoint, p256dh: keys.p256dh, auth: keys.auth, csrfmiddlewaretoken: section.dataset.token });
  const answer = await fetch(section.dataset.url, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message ?? String(answer.status));
  await note(endpoint);
}

/** For the service worker, which some browsers do not tell what they have replaced. */
async function note(endpoint) {
  await (await caches.open("push")).put(section.dataset.renew, new Response(endpoint));
}

async function start(button) {
  complain("");
  button.disabled = true;
  try {
    if (await Notification.requestPermission() !== "granted") {
      complain(section.dataset.blocked);
      if (obstacle()) showState(obstacle());
      return;
    }
    await tell(await subscribe());
    location.reload();
  } catch (error) {
    complain(section.dataset.failed + error.message);
  } finally {
    button.disabled = false;
  }
}

/** Whoever removes this very browser also ends its subscription, so that nothing of it is left with the push service. */
async function removed(event) {
  event.preventDefault();
  const form = event.target;
  try {
    const { subscription, row } = await mine();
    if (row?.contains(form)) {
      await caches.delete("push");
      await subscription.unsubscribe();
    }
  } catch (error) { /* it is removed from our list all the same */ }
  form.submit();
}

async function bind() {
  for (const form of section.querySelectorAll("[data-push-remove]")) form.addEventListener("submit", removed);
  if (!section.dataset.key) return;
  const button = section.querySelector("[data-push-start]");
  button.addEventListener("click", () => start(button));
  showState(obstacle());
  if (obstacle()) return;
  const { subscription, row } = await mine();
  if (!row) return;
  await note(subscription.endpoint);
  row.querySelector("[data-this]").hidden = false;
  showState("on");
}

if (section) bind();
