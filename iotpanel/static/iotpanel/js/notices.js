// The bell: how many notices this person has not seen, live; the list is fetched when it is opened.
import { watch } from "./live.js";

const MOST = 99;

export function bindNotices() {
  const bell = document.querySelector("[data-bell]"), menu = document.getElementById("notices-menu");
  if (!bell || !menu) return;
  const badge = bell.querySelector("[data-bell-count]");
  let count = Number(badge.textContent) || 0;

  function show() {
    const text = count > MOST ? `${MOST}+` : String(count);
    badge.textContent = text;
    badge.hidden = !count;
    bell.setAttribute("aria-label", count ? bell.dataset.unread.replace("COUNT", text) : bell.dataset.label);
  }

  const fetchList = () => document.getElementById("notices-recent").dispatchEvent(new Event("notices-open"));
  menu.addEventListener("toggle", (event) => { if (event.newState === "open") fetchList(); });
  menu.addEventListener("htmx:afterSettle", () => {
    count = Number(document.getElementById("notices-recent").dataset.count) || 0;
    show();
  });
  // Where no channel leads here nothing can come, and no connection is opened for it.
  if ("told" in bell.dataset) watch([], { notices: ["notices"], notice: () => { count += 1; show(); if (menu.matches(":popover-open")) fetchList(); } });
}
