// The page that is shown without a connection: in the reader's language, with the age of the last contact. It tries by itself.

import { bindAges, refresh } from "./ages.js";

const PAUSES = [2, 4, 8, 15, 30]; // seconds before each further try
let tries = 0;

/** What the last page left behind (reach.js): its language and when it was loaded. Nothing where nothing can be kept. */
function last() {
  try { return JSON.parse(localStorage.getItem("iotpanelLast")) ?? {}; } catch (error) { return {}; }
}

function speak(language) {
  const sections = [...document.querySelectorAll("section[lang]")];
  const close = (name) => sections.find((each) => each.lang.split("-")[0] === name?.split("-")[0]);
  const mine = close(language) ?? close(navigator.language) ?? sections[0];
  for (const each of sections) each.hidden = each !== mine;
  document.documentElement.lang = mine.lang;
  document.title = mine.dataset.title;
  mine.querySelector("script[type='application/json']").id = "span-words"; // for ages.js
  return mine;
}

async function tryAgain() {
  try {
    const answer = await fetch("/healthz", { cache: "no-store" });
    if (answer.ok) return location.reload();
  } catch (error) { /* not yet */ }
  setTimeout(tryAgain, PAUSES[Math.min(tries++, PAUSES.length - 1)] * 1000);
}

const { lang, at } = last();
const section = speak(lang);
if (Number.isFinite(at)) {
  const time = section.querySelector("time");
  time.dateTime = time.title = new Date(at).toISOString();
  time.textContent = new Date(at).toLocaleString(document.documentElement.lang); // over a day ago it stays
  section.querySelector("[data-last]").hidden = false;
  bindAges();
  refresh();
}
section.querySelector("[data-again]").addEventListener("click", () => location.reload());
addEventListener("online", () => location.reload());
setTimeout(tryAgain, PAUSES[0] * 1000);
