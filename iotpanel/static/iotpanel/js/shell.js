// The frame of every page. Page scripts import what they need from the modules named here.
import { bindAges } from "./ages.js";
import { bindBasics } from "./basics.js";
import { bindKeys } from "./keys.js";
import { bindNotices } from "./notices.js";
import { bindPalette } from "./palette.js";
import { bindReach } from "./reach.js";
import { bindToasts } from "./toasts.js";

bindBasics();
bindToasts();
bindPalette();
bindKeys();
bindAges();
bindNotices();
bindReach();
