// What operator pages do beyond HTML and CSS. Everything works without it, only less handily.
const undoCopyMs = 2000;

themes();
slash();
copies();
prints();
polls();

/** The choice of theme in the account sheet; shown only where it can work. */
function themes() {
  const group = document.querySelector("[data-themes]");
  if (!group) return;
  const root = document.documentElement;
  const chosen = root.dataset.theme ?? "system";
  for (const radio of group.querySelectorAll("input")) {
    radio.checked = radio.value === chosen;
    radio.addEventListener("change", () => {
      if (radio.value === "system") delete root.dataset.theme;
      else root.dataset.theme = radio.value;
      try {
        localStorage.setItem("kith-theme", radio.value);
      } catch {
        // Kept for this page only.
      }
    });
  }
  group.hidden = false;
}

/** The key `/` leads to the search field, unless somebody is writing. */
function slash() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const fields = [...document.querySelectorAll("[data-slash], main input[type=search]")];
    const field = fields.find((candidate) => candidate.checkVisibility?.() ?? candidate.offsetParent);
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}

/** Buttons with data-copy put that text on the clipboard and say so for a moment. */
function copies() {
  for (const field of document.querySelectorAll("[data-select]")) field.addEventListener("focus", () => field.select());
  for (const button of document.querySelectorAll("[data-copy]")) {
    const words = button.querySelector("[aria-live]") ?? button;
    const before = words.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
      } catch {
        // Over plain HTTP from another machine there is no clipboard; the selected field can be copied by hand.
        document.querySelector("[data-select]")?.select();
        return;
      }
      words.textContent = button.dataset.copied;
      setTimeout(() => { words.textContent = before; }, undoCopyMs);
    });
  }
}

function prints() {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

/** What stands in a part with data-poll is asked for anew while the page is seen; without scripts a link does the same. */
function polls() {
  for (const part of document.querySelectorAll("[data-poll]")) {
    const ask = async () => {
      if (document.visibilityState === "visible" && !part.contains(document.activeElement)) {
        try {
          const answer = await fetch(part.dataset.poll, { headers: { accept: "text/html" }, redirect: "error" });
          const text = answer.ok ? await answer.text() : part.innerHTML;
          if (text.trim() !== part.dataset.last) {
            part.dataset.last = text.trim();
            part.innerHTML = text;
          }
        } catch {
          // The next one may arrive.
        }
      }
      setTimeout(ask, Number(part.dataset.every));
    };
    setTimeout(ask, Number(part.dataset.every));
  }
}
