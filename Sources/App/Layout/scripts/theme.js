// Runs before the page is drawn, so that a chosen theme never flashes. The server may have set data-theme already.
(() => {
  try {
    const theme = localStorage.getItem("kith-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else if (theme === "system") delete document.documentElement.dataset.theme;
  } catch {
    // Storage is forbidden: the system decides.
  }
})();
