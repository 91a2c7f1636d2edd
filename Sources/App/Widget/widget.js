// <kith-widget>: a member's share link, friends and rewards inside a page of yours. Told in docs/widget.md; nothing to install, no cookie.
(() => {
  if (!window.customElements || customElements.get("kith-widget")) return;
  /** By language: what the button says, and what its dialog's closing button is called. The server puts them in. */
  const WORDS = {};

  const MODES = ["inline", "popup", "banner", "launcher"];
  const FRESH_MS = 14 * 60 * 1000;
  const HEIGHT_MAX_PX = 4000;
  /** How long a frame that is loaded may say nothing: browsers show a broken one where the page's site may not have it. */
  const SILENT_MS = 4000;
  // Tokens of the theme, as the portal takes them; the page's own style sheet sets them on the element.
  const STYLE = `
    :host { display: block; }
    :host([hidden]) { display: none; }
    iframe { display: block; inline-size: 100%; border: 0; block-size: 24rem; background: transparent; color-scheme: normal; }
    iframe.silent { visibility: hidden; }
    button { font: inherit; font-weight: 600; min-block-size: 2.75rem; padding-inline: 1.25rem; cursor: pointer; border: 0;
      border-radius: var(--kith-radius, .5rem); background: var(--kith-accent, #0b6b57); color: var(--kith-on-accent, #fff); }
    button:focus-visible { outline: 2px solid var(--kith-focus, currentColor); outline-offset: 2px; }
    .banner { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: center; padding: .5rem 1rem;
      background: var(--kith-accent-soft, #e3f3ee); color: var(--kith-ink, #10201c); }
    .launcher { position: fixed; inset-block-end: 1rem; inset-inline-end: 1rem; z-index: 2147483000; border-radius: 999px; box-shadow: 0 2px 12px rgb(0 0 0 / .25); }
    .popup { margin: 0; }
    dialog { inline-size: min(30rem, calc(100vw - 2rem)); max-block-size: calc(100dvh - 2rem); padding: 0; border: 0; overflow: auto;
      border-radius: var(--kith-radius-large, 1rem); background: var(--kith-page, Canvas); color: var(--kith-ink, CanvasText); }
    dialog::backdrop { background: rgb(0 0 0 / .45); }
    .close { position: sticky; inset-block-start: 0; display: block; margin-inline-start: auto; inline-size: 2.75rem; padding: 0; background: none; color: inherit; font-size: 1.5rem; line-height: 1; }
  `;

  class KithWidget extends HTMLElement {
    #root = this.attachShadow({ mode: "open" });
    #frame = null;
    #dialog = null;
    #loadedAt = 0;
    #silence = 0;
    #hear = (event) => this.#heard(event);
    #see = () => this.#seen();

    connectedCallback() {
      addEventListener("message", this.#hear);
      document.addEventListener("visibilitychange", this.#see);
      this.#draw();
    }

    disconnectedCallback() {
      clearTimeout(this.#silence);
      removeEventListener("message", this.#hear);
      document.removeEventListener("visibilitychange", this.#see);
    }

    get mode() {
      const mode = this.getAttribute("mode");
      return MODES.includes(mode) ? mode : "inline";
    }

    /** Shows the widget: in its place, or above the page. */
    async open() {
      if (!(await this.#load())) return;
      if (this.#dialog && !this.#dialog.open) this.#dialog.showModal();
      this.dispatchEvent(new CustomEvent("kith-open", { bubbles: true }));
    }

    close() {
      this.#dialog?.close();
    }

    #draw() {
      if (this.#root.childNodes.length) return;
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      this.#root.adoptedStyleSheets = [sheet];
      const words = wordsOf(this.closest("[lang]")?.lang || navigator.language);
      const label = this.getAttribute("label") || words.label;
      this.#frame = make("iframe", { class: "silent", title: label, allow: "clipboard-write; web-share", loading: this.mode === "inline" ? "lazy" : "eager" });
      this.#frame.addEventListener("load", () => this.#listen());
      if (this.mode === "inline") {
        this.#root.append(this.#frame);
        this.open();
        return;
      }
      this.#dialog = make("dialog", { "aria-label": label });
      const close = make("button", { type: "button", class: "close", "aria-label": this.getAttribute("close-label") || words.close }, "×");
      close.addEventListener("click", () => this.close());
      this.#dialog.append(close, this.#frame);
      this.#dialog.addEventListener("click", (event) => { if (event.target === this.#dialog) this.close(); });
      this.#dialog.addEventListener("close", () => this.dispatchEvent(new CustomEvent("kith-close", { bubbles: true })));
      if (this.mode === "popup") {
        this.#root.append(this.#dialog);
        if (this.#isFirst()) this.open();
        return;
      }
      const button = make("button", { type: "button", class: this.mode === "launcher" ? "launcher" : "", "aria-haspopup": "dialog" }, label);
      button.addEventListener("click", () => this.open());
      if (this.mode === "banner") {
        const bar = make("div", { class: "banner" });
        bar.append(make("span", {}, this.getAttribute("text") || ""), button);
        this.#root.append(bar, this.#dialog);
      } else {
        this.#root.append(button, this.#dialog);
      }
    }

    /** A popup with `once="order 17"` comes once for that order, also when the page is loaded again. */
    #isFirst() {
      const once = this.getAttribute("once");
      if (!once) return true;
      try {
        const key = "kith-widget:" + once;
        if (sessionStorage.getItem(key)) return false;
        sessionStorage.setItem(key, "1");
      } catch { /* A page without storage shows it. */ }
      return true;
    }

    /** Puts the page into the frame; asks `from` for a new address when the one before has grown old. */
    async #load() {
      if (this.#loadedAt && Date.now() - this.#loadedAt < FRESH_MS) return true;
      try {
        const address = new URL(await this.#address());
        if (address.protocol !== "https:" && address.protocol !== "http:") throw new Error("not a web address");
        if (this.mode === "popup") address.searchParams.set("mode", "popup");
        if (this.lang) address.searchParams.set("lang", this.lang);
        this.#frame.src = address.href;
        this.#loadedAt = Date.now();
        this.hidden = false;
        return true;
      } catch (error) {
        this.#fail(String(error));
        return false;
      }
    }

    /** The shop's page stays as it is. */
    #fail(why) {
      this.#loadedAt = 0;
      this.#dialog?.close();
      this.hidden = true;
      this.dispatchEvent(new CustomEvent("kith-error", { bubbles: true, detail: why }));
    }

    #listen() {
      clearTimeout(this.#silence);
      if (!this.#frame.src) return;
      this.#silence = setTimeout(() => this.#fail(`nothing came from the frame: is ${location.origin} named in Settings > Domains?`), SILENT_MS);
    }

    async #address() {
      const from = this.getAttribute("from");
      if (!from) {
        const src = this.getAttribute("src");
        if (!src) throw new Error("src or from is missing");
        return src;
      }
      const answer = await fetch(from, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`${from} answered ${answer.status}`);
      return (await answer.json()).widgetUrl;
    }

    /** Only the frame's own page says how high it is. */
    #heard(event) {
      if (!this.#frame || event.source !== this.#frame.contentWindow || event.data?.kith !== "height") return;
      clearTimeout(this.#silence);
      this.#frame.classList.remove("silent");
      const height = Math.min(Number(event.data.height) || 0, HEIGHT_MAX_PX);
      if (height > 0) this.#frame.style.blockSize = height + "px";
    }

    /** Whoever comes back to an old page is shown what is true now. */
    #seen() {
      if (!document.hidden && this.mode === "inline" && this.hasAttribute("from")) this.#load();
    }
  }

  /** @param {string} tag a language as pages name it, such as `de-AT` */
  function wordsOf(tag) {
    const language = tag.split("-")[0].toLowerCase();
    return WORDS[language] || { label: "Refer a friend", close: "Close" };
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} attributes
   * @param {string} text
   */
  function make(name, attributes, text = "") {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value) element.setAttribute(key, value);
    if (text) element.textContent = text;
    return element;
  }

  customElements.define("kith-widget", KithWidget);
})();
