// The pages before signing in have no frame; they still share theme and copying.
import { bindBasics } from "./basics.js";

bindBasics();
