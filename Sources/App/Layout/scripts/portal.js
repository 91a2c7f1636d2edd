// Copying and sharing for the portal. Every page works without it.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.lastChild.textContent = button.dataset.done;
  });
}

for (const area of document.querySelectorAll("[data-message]")) {
  const section = area.closest("section");
  const whole = () => area.value.trim() + " " + area.dataset.disclosure;
  const update = () => {
    const text = encodeURIComponent(whole());
    for (const link of section.querySelectorAll("[data-channel]")) {
      const head = link.href.split(/(?:text|body)=/)[0];
      link.href = head + (link.dataset.channel === "whatsapp" ? "text=" : "body=") + text;
    }
  };
  area.addEventListener("input", update);
  const more = section.querySelector("[data-share]");
  if (more && navigator.share) {
    more.hidden = false;
    more.querySelector("button").addEventListener("click", () => navigator.share({ text: whole() }).catch(() => {}));
  }
}

for (const zone of document.querySelectorAll("[data-zone]")) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone.value && here) zone.placeholder = here;
}

// Inside another site's page: tells it how high this page is, so that its frame can be. A height is all that is told.
if (window.parent !== window) {
  const tell = () => window.parent.postMessage({ kith: "height", height: Math.ceil(document.documentElement.getBoundingClientRect().height) }, "*");
  new ResizeObserver(tell).observe(document.documentElement);
  tell();
}
