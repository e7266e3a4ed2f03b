// Whether the server is reached: a page without a live connection says so too when it is not. The worker that keeps the page
// for that case is registered here; where none can be (plain HTTP on the network), the browser's own page appears.

const AGAIN = 5000; // ms

function remember() {
  try { localStorage.setItem("iotpanelLast", JSON.stringify({ lang: document.documentElement.lang, at: Date.now() })); } catch (error) { /* private window */ }
}

async function reached() {
  try { return (await fetch("/healthz", { cache: "no-store" })).ok; } catch (error) { return false; }
}

/** The network went, or an answer did not come: look, and say so until it is back. */
async function look(mark) {
  if (mark.dataset.looking) return;
  mark.dataset.looking = "";
  while (!(await reached())) {
    mark.hidden = false;
    await new Promise((resolve) => { setTimeout(resolve, AGAIN); addEventListener("online", resolve, { once: true }); });
  }
  mark.hidden = true;
  delete mark.dataset.looking;
  remember();
}

export function bindReach() {
  remember();
  const { worker } = document.body.dataset;
  if (worker) navigator.serviceWorker?.register(worker, { scope: "/", updateViaCache: "all" }).catch(() => {}); // refused by the browser: no matter
  const mark = document.querySelector("[data-reach]");
  if (!mark || document.querySelector("[data-live]")) return; // live.js says it there
  addEventListener("offline", () => look(mark));
  document.body.addEventListener("htmx:sendError", () => look(mark));
}
