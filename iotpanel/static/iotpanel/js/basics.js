// Theme, dialogs, menus, copying: what every page has, also those before signing in.

function toggleTheme() {
  const dark = document.documentElement.classList.toggle("dark");
  try { localStorage.setItem("adminTheme", JSON.stringify(dark ? "dark" : "light")); } catch (error) { /* private window */ }
  // Charts read their colours once and have to be told.
  document.dispatchEvent(new CustomEvent("themechange", { detail: { dark } }));
}

async function copyText(button) {
  const source = document.querySelector(button.dataset.copy) || button;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
  } catch (error) {                       // no clipboard on a page served without TLS: select it instead
    getSelection().selectAllChildren(source);
    return;
  }
  const label = button.querySelector("span");
  if (!label || !button.dataset.done) return;
  const before = label.textContent;
  label.textContent = button.dataset.done;
  setTimeout(() => { label.textContent = before; }, 1500);
}

function onClick(event) {
  const hit = (selector) => event.target.closest(selector);
  if (hit("[data-theme-toggle]")) toggleTheme();
  if (hit("[data-open-dialog]")) document.getElementById(hit("[data-open-dialog]").dataset.openDialog)?.showModal();
  if (hit("[data-close-dialog]")) hit("dialog")?.close();
  if (hit("[data-copy]")) copyText(hit("[data-copy]"));
  if (hit("[data-back]")) { event.preventDefault(); history.back(); }
  // A menu made of <details> closes when something else is clicked.
  for (const open of document.querySelectorAll("details.drop[open]")) if (!open.contains(event.target)) open.open = false;
}

function onEscape(event) {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.drop[open]")) { open.open = false; open.querySelector("summary").focus(); }
}

export function bindBasics() {
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onEscape);
  // A select marked data-submit is its form's button.
  document.addEventListener("change", (event) => { if (event.target.matches("[data-submit]")) event.target.form.requestSubmit(); });
}
