// kith.js: tells Kith which recommendation a visitor came by, and what they did then. No dependencies, no eval;
// it never throws into the page, and it sets one first-party cookie or, with data-cookieless, none.
//
//   <script>window.kith=window.kith||function(){(kith.q=kith.q||[]).push(arguments)}</script>
//   <script src="https://go.example.com/kith.js" data-key="kith_pk_…" defer></script>
//
// Options on the script tag (all but data-key optional):
//   data-key            the publishable key
//   data-host           where Kith answers, if not where this file came from
//   data-parameters     names in the page's address to look for, in this order; "via,ref,kith_click". A click id always wins
//   data-cookie-days    how long the click is remembered; 30
//   data-domain         domain of the cookie, ".example.com" to share it between subdomains
//   data-cookieless     no cookie, no visitor id: the click is known on this page only (and in data-kith forms and links)
//   data-consent        "wait": nothing is stored or sent before kith('consent', true)
//
// Calls, also before this file has arrived (the first line above queues them):
//   kith('lead', {customerExternalId, eventName?, customerEmail?, customerName?, metadata?}, callback?)
//   kith('click', {code?, url?}?, callback?)     counts a click by hand, for pages that change without loading
//   kith('clickId', callback)                    gives the click id, or null
//   kith('code', callback)                       gives the discount code that a friend came with, or null
//   kith('consent', true | false)                false also forgets
//
// <form data-kith> gets a hidden field kith_click; <a data-kith> gets it in its address; an empty <input data-kith-code> the discount code.
(() => {
  "use strict";

  /** @typedef {{clickId: string | null, code: string | null, discount: string | null, visitorId: string | null}} Memory */

  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const options = script ? script.dataset : {};
  const cookieName = "kith_click";
  const visitorCookieName = "kith_visitor";
  const arrivalName = "kith_arrival";
  const discountName = "kith_code";
  const host = (options.host || (script ? new URL(script.src, location.href).origin : location.origin)).replace(/\/+$/, "");
  const parameters = (options.parameters || "via,ref,kith_click").split(",").map((name) => name.trim()).filter(Boolean);
  const cookieDays = Math.min(Math.max(Number(options.cookieDays) || 30, 1), 400); // browsers keep none longer than 400
  const cookieless = "cookieless" in options && options.cookieless !== "false";
  const queueLimit = 100;

  let consented = options.consent !== "wait";
  /** @type {Memory} */
  const memory = { clickId: null, code: null, discount: null, visitorId: null };
  /** @type {((clickId: string | null) => void)[]} */
  let waiting = [];
  /** What waits for consent. @type {(() => void)[]} */
  let held = [];
  let arriving = false;
  /** Grows when consent is withdrawn: what was asked before is not remembered after. */
  let era = 0;

  const commands = { click, lead, clickId: giveClickId, code: giveCode, consent };

  const queued = (window.kith && window.kith.q) || [];
  window.kith = safely(run);
  window.kith.q = [];
  safely(arrive)();
  for (const call of Array.prototype.slice.call(queued, 0, queueLimit)) window.kith.apply(null, call);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", safely(decorate));

  /** @param {keyof commands} name @param {...unknown} rest */
  function run(name, ...rest) {
    const command = Object.prototype.hasOwnProperty.call(commands, name) ? commands[name] : null;
    if (command) command(...rest);
    else warn(`there is no kith('${String(name)}')`);
  }

  /** Reads the address and the cookie; a code becomes a click, a click id is kept as it is. */
  function arrive() {
    if (!consented) { held.push(arrive); return; }
    const query = new URLSearchParams(location.search);
    const discount = query.get("kith_code");
    memory.discount = discount && discount.length <= 100 ? keep(discountName, discount) : kept(discountName);
    const stored = cookieless ? null : readCookie(cookieName);
    if (!cookieless) memory.visitorId = readCookie(visitorCookieName);
    // Whoever came by a link of Kith's was counted there, whatever else the address says.
    const counted = parameters.includes("kith_click") && query.get("kith_click");
    if (counted && counted.length <= 200) { remember(counted); return; }
    for (const name of parameters) {
      const value = query.get(name);
      if (!value || value.length > 200 || name === "kith_click") continue;
      memory.code = value;
      // The same code in the same address again, as after a reload, is not another click.
      if (stored && sameArrival(value)) { remember(stored); return; }
      click({ code: value });
      return;
    }
    if (stored) remember(stored);
    else decorate();
  }

  /** @param {{code?: string, url?: string} | undefined} [facts] @param {(clickId: string | null) => void} [callback] */
  function click(facts, callback) {
    if (!consented) { held.push(() => click(facts, callback)); return; }
    const body = facts && (facts.code || facts.url) ? { ...facts } : memory.code ? { code: memory.code } : { url: location.href };
    if (document.referrer) body.referrer = document.referrer.slice(0, 2048);
    arriving = true;
    const asked = era;
    post("/api/v1/track/click", withVisitor(body), (answer) => {
      if (asked !== era) { if (callback) safely(callback)(null); return; }
      arriving = false;
      if (answer && answer.clickId) remember(answer.clickId);
      else settle();
      markArrival(body.code);
      if (callback) safely(callback)(memory.clickId);
    });
  }

  /** @param {Record<string, unknown>} facts @param {(answer: unknown) => void} [callback] */
  function lead(facts, callback) {
    if (!consented) { held.push(() => lead(facts, callback)); return; }
    if (!facts || !facts.customerExternalId) { warn("kith('lead') needs customerExternalId"); return; }
    const asked = era;
    giveClickId((clickId) => {
      if (asked !== era) { if (callback) safely(callback)(null); return; }
      const body = { eventName: "lead", ...facts };
      if (!body.clickId && clickId) body.clickId = clickId;
      else if (!body.clickId && !body.code && memory.code) body.code = memory.code;
      post("/api/v1/track/lead", withVisitor(body), (answer) => { if (callback) safely(callback)(answer); });
    });
  }

  /** @param {(clickId: string | null) => void} callback */
  function giveClickId(callback) {
    if (typeof callback !== "function") return;
    if (arriving) waiting.push(callback);
    else safely(callback)(memory.clickId);
  }

  /** @param {(code: string | null) => void} callback */
  function giveCode(callback) {
    if (typeof callback === "function") safely(callback)(memory.discount);
  }

  /** @param {boolean} given */
  function consent(given) {
    consented = given === true;
    if (consented) {
      const now = held;
      held = [];
      for (const step of now) safely(step)();
      return;
    }
    era += 1;
    arriving = false;
    held = [];
    memory.clickId = memory.code = memory.discount = memory.visitorId = null;
    forget();
    writeCookie(cookieName, "", 0);
    writeCookie(visitorCookieName, "", 0);
    settle();
    decorate();
  }

  /** @param {string} clickId */
  function remember(clickId) {
    memory.clickId = clickId;
    if (!cookieless) writeCookie(cookieName, clickId, cookieDays);
    settle();
    decorate();
  }

  function settle() {
    const callbacks = waiting;
    waiting = [];
    for (const callback of callbacks) safely(callback)(memory.clickId);
  }

  /** Puts the click into forms and links that ask for it, and the discount code into fields that nobody has filled in. */
  function decorate() {
    for (const field of document.querySelectorAll("input[data-kith-code]")) {
      if (memory.discount && field instanceof HTMLInputElement && !field.value) field.value = memory.discount;
    }
    for (const element of document.querySelectorAll("form[data-kith], a[data-kith]")) {
      if (element instanceof HTMLFormElement) {
        let field = element.querySelector("input[name=kith_click]");
        if (!field) {
          field = document.createElement("input");
          field.type = "hidden";
          field.name = "kith_click";
          element.append(field);
        }
        field.value = memory.clickId || "";
      } else if (element.href) {
        const address = new URL(element.href);
        if (!/^https?:$/.test(address.protocol)) continue;
        if (memory.clickId) address.searchParams.set("kith_click", memory.clickId);
        else address.searchParams.delete("kith_click");
        element.href = address.href;
      }
    }
  }

  /** @param {Record<string, unknown>} body */
  function withVisitor(body) {
    if (cookieless) return body;
    if (!memory.visitorId) memory.visitorId = "vis_" + Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    writeCookie(visitorCookieName, memory.visitorId, cookieDays);
    return { ...body, visitorId: memory.visitorId };
  }

  /** @param {string} path @param {object} body @param {(answer: any) => void} done */
  function post(path, body, done) {
    fetch(host + path, {
      method: "POST",
      keepalive: true, // so that it arrives though the visitor goes on at once
      credentials: "omit",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${options.key || ""}` },
      body: JSON.stringify(body),
    }).then((response) => response.json().then((answer) => {
      if (!response.ok) warn(`${path} answered ${response.status}: ${answer.detail || answer.title || ""}`);
      safely(done)(response.ok ? answer : null);
    })).catch(() => { warn(`${path} could not be reached`); safely(done)(null); });
  }

  /** @param {string} code */
  function sameArrival(code) {
    return kept(arrivalName) === code;
  }

  /** @param {string | undefined} code */
  function markArrival(code) {
    if (code && memory.clickId) keep(arrivalName, code);
  }

  /** @param {string} name @param {string} value */
  function keep(name, value) {
    if (cookieless) return value;
    try { sessionStorage.setItem(name, value); } catch { /* storage is forbidden: it is known on this page only */ }
    return value;
  }

  /** @param {string} name */
  function kept(name) {
    try { return cookieless ? null : sessionStorage.getItem(name); } catch { return null; }
  }

  function forget() {
    try { for (const name of [arrivalName, discountName]) sessionStorage.removeItem(name); } catch { /* storage is forbidden, so nothing stands there */ }
  }

  /** @param {string} name */
  function readCookie(name) {
    const found = document.cookie.split("; ").find((pair) => pair.startsWith(name + "="));
    try { return found ? decodeURIComponent(found.slice(name.length + 1)) : null; } catch { return null; }
  }

  /** @param {string} name @param {string} value @param {number} days */
  function writeCookie(name, value, days) {
    document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${Math.round(days * 86400)}; SameSite=Lax`
      + (options.domain ? `; Domain=${options.domain}` : "") + (location.protocol === "https:" ? "; Secure" : "");
  }

  /** @template {(...given: any[]) => any} F @param {F} work @returns {F} */
  function safely(work) {
    return /** @type {F} */ ((...given) => {
      try { return work(...given); } catch (error) { warn(error instanceof Error ? error.message : "something failed"); }
    });
  }

  /** @param {string} text */
  function warn(text) {
    if (window.console && console.warn) console.warn(`kith.js: ${text}`);
  }
})();
