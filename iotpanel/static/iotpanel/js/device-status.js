// The device's presence in the page's head, true while the page is open; and the line that waits for the first message.

import { ago, span } from "./ages.js";
import { say } from "./device-words.js";
import { now } from "./freshness.js";

export class Status {
  constructor() {
    this.mark = document.querySelector("[data-part=status]");
    this.seen = document.querySelector("[data-part=last-seen]");
    this.waiting = document.querySelector("[data-part=waiting]");
    setInterval(() => this.age(), 1000);
  }

  set(online, ms) {
    if (!this.mark || this.mark.dataset.state === "disabled") return;
    if (ms === null && !online) return; // never seen: nothing is known that the page does not say
    this.mark.dataset.state = online ? "online" : "offline";
    this.mark.dataset.since = ms === null ? "" : new Date(ms).toISOString();
    this.age();
    if (online) this.connected();
  }

  /** Something was heard just now. */
  heard(ms) {
    if (this.seen) {
      const time = document.createElement("time");
      time.dateTime = new Date(ms).toISOString();
      time.dataset.ago = "";
      time.textContent = ago(Math.max(0, (now() - ms) / 1000));
      this.seen.replaceChildren(time);
    }
    this.arrived();
  }

  /** It is there, and has said nothing yet. */
  connected() {
    if (this.waiting?.dataset.connected) this.tell(this.waiting.dataset.connected);
  }

  arrived() {
    if (!this.waiting) return;
    if (!this.waiting.dataset.then) this.waiting.remove();
    else {
      this.tell(this.waiting.dataset.then);
      this.waiting.querySelector(".pulse")?.remove();
      this.waiting.dataset.state = "done";
    }
    this.waiting = null;
  }

  tell(words) {
    const sentence = document.createElement("b");
    sentence.textContent = words;
    this.waiting.querySelector("[data-part=waiting-words]").replaceChildren(sentence);
  }

  age() {
    if (!this.mark) return;
    const { state, since } = this.mark.dataset;
    if (state !== "online" && state !== "offline") return;
    const away = since ? (now() - Date.parse(since)) / 1000 : null;
    const words = state === "online" ? say("online") : away === null ? say("offline") : say("offline_for", { time: span(away) });
    if (this.mark.textContent !== words) this.mark.textContent = words;
  }
}
