/*
 * Theme and language before the first paint, so that nothing flashes.
 *
 * Belongs here: what cannot wait for the modules. Not here: the switches (page.js).
 */
(() => {
  const kept = (name) => {
    try {
      return localStorage.getItem(`sendwatch.${name}`);
    } catch {
      return null; // storage may be forbidden; then the browser's own preferences hold
    }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const language = kept("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  document.documentElement.dataset.theme = kept("theme") ?? (dark ? "dark" : "light");
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
})();
