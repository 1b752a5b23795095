// The theme before the first paint: the choice kept on this machine, else what the device asks for.
// Loaded in the head without defer, so that no page flashes in the wrong colours. Knows nothing else.
"use strict";

(() => {
  const device = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  const chosen = () => {
    try {
      return localStorage.getItem("theme") || "auto";
    } catch {
      return "auto"; // storage may be switched off by policy
    }
  };

  const paint = () => {
    const theme = chosen();
    root.dataset.theme = theme;
    root.dataset.bsTheme = theme === "auto" ? (device.matches ? "dark" : "light") : theme;
    document.dispatchEvent(new CustomEvent("office:theme"));
  };

  window.office = {
    theme: chosen,
    setTheme(theme) {
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // the choice then lasts for this page only
      }
      root.dataset.theme = theme;
      paint();
    },
  };
  device.addEventListener("change", paint);
  paint();
})();
