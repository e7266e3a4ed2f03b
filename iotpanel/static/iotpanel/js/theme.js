// Runs in <head> before the first paint. The key is the admin's (django-unfold keeps "adminTheme" as JSON), so one choice rules both.
(function () {
  let choice = null;
  try { choice = JSON.parse(localStorage.getItem("adminTheme")); } catch (error) { /* private window, or somebody else's value */ }
  const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
  // The server writes times in the person's zone; where none is set it is the browser's.
  try { document.cookie = `iotpanel_tz=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)};path=/;samesite=lax;max-age=31536000`; } catch (error) { /* UTC then */ }
})();
