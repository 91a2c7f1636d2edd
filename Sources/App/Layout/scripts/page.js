// What operator pages do beyond HTML and CSS. Everything works without it, only less handily.
const undoCopyMs = 2000;
const runLookMs = 700;
const lookMs = 300;

themes();
jobs();
slash();
copies();
prints();
polls();
runs();
kin();
sliders();
looks();
choices();

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

/** One job stands open at a time. */
function jobs() {
  const jobs = [...document.querySelectorAll("[data-job]")];
  for (const job of jobs) {
    job.addEventListener("toggle", () => {
      if (!job.open) return;
      for (const other of jobs) if (other !== job) other.open = false;
    });
  }
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

/** Long work on a run: the bar follows it, and the page is drawn again when it has ended. */
function runs() {
  const place = document.querySelector("[data-run-progress]");
  if (!place) return;
  const look = async () => {
    try {
      const answer = await fetch(place.dataset.runProgress, { headers: { accept: "application/json" } });
      if (answer.ok) {
        const run = await answer.json();
        if (run.work === null) return location.reload();
        place.querySelector("[data-run-text]").textContent = run.text;
        place.querySelector("[data-run-bar]").setAttribute("width", `${run.thousandths / 10}%`);
      }
    } catch {
      // Asked again.
    }
    setTimeout(look, runLookMs);
  };
  setTimeout(look, runLookMs);
}

/** The genealogy as a drawing: one row a leaf, parents beside their first child. Arrow keys move between people. */
function kin() {
  const place = document.querySelector("[data-kin]");
  if (!place) return;
  const people = JSON.parse(place.dataset.kin);
  if (people.length === 0) return;
  const [wide, tall, gapX, gapY] = [168, 46, 35, 10];
  const open = [];
  let row = -1;
  let last = -1;
  for (const person of people) {
    if (person.level <= last || row < 0) row += 1;
    last = person.level;
    open.length = person.level;
    person.parent = open[person.level - 1];
    person.x = 1 + person.level * (wide + gapX);
    person.y = 1 + row * (tall + gapY);
    open.push(person);
  }
  const svgName = "http://www.w3.org/2000/svg";
  const make = (name, attributes, text) => {
    const element = document.createElementNS(svgName, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const width = Math.max(...people.map((person) => person.x)) + wide + 1;
  const height = (row + 1) * (tall + gapY);
  const svg = make("svg", { class: "kin", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": place.getAttribute("aria-label") });
  for (const person of people) {
    if (!person.parent) continue;
    const [x0, y0, y1] = [person.parent.x + wide, person.parent.y + tall / 2, person.y + tall / 2];
    svg.append(make("path", { class: "edge", d: y0 === y1 ? `M${x0} ${y0}H${person.x}` : `M${x0} ${y0}h8q8 0 8 8V${y1 - 8}q0 8 8 8H${person.x}` }));
  }
  for (const [number, person] of people.entries()) {
    const group = make("g", { transform: `translate(${person.x} ${person.y})` });
    const link = make("a", {
      class: `person${person.idle ? " idle" : ""}${number === 0 ? " sel" : ""}`, href: person.url, "aria-label": `${person.name}, ${person.sub}`,
      tabindex: number === 0 ? 0 : -1,
    });
    link.append(
      make("rect", { class: "plate", width: wide, height: tall, rx: 8 }), make("circle", { class: "face", cx: 25, cy: 23, r: 14 }),
      make("text", { class: "ini", x: 25, y: 27 }, person.initials),
      make("text", { class: "name", x: 48, y: 20 }, person.name.length > 18 ? `${person.name.slice(0, 17)}…` : person.name),
      make("text", { class: "sub", x: 48, y: 36 }, person.more ? `${person.sub} ›` : person.sub));
    group.append(link);
    svg.append(group);
    person.link = link;
  }
  svg.addEventListener("keydown", (event) => {
    const from = people.findIndex((person) => person.link === document.activeElement);
    if (from < 0) return;
    const own = people[from];
    const to = {
      ArrowDown: () => people.slice(from + 1).find((person) => person.level === own.level),
      ArrowUp: () => people.slice(0, from).findLast((person) => person.level === own.level),
      ArrowRight: () => people.find((person) => person.parent === own), ArrowLeft: () => own.parent, Home: () => people[0], End: () => people.at(-1),
    }[event.key]?.();
    if (!to) return;
    event.preventDefault();
    own.link.setAttribute("tabindex", -1);
    to.link.setAttribute("tabindex", 0);
    to.link.focus();
  });
  place.append(svg);
  document.querySelector("[data-kin-views]").hidden = false;
  const pick = document.querySelector("[data-kin-pick]");
  pick.hidden = false;
  pick.checked = true;
}

/** Number fields with data-slider get a slider beside them. */
function sliders() {
  for (const field of document.querySelectorAll("[data-slider]")) {
    const slider = document.createElement("input");
    slider.type = "range";
    slider.className = "form-range";
    for (const name of ["min", "max", "step"]) slider.setAttribute(name, field.getAttribute(name));
    slider.value = field.value;
    slider.setAttribute("aria-label", field.labels?.[0]?.textContent ?? "");
    slider.addEventListener("input", () => { field.value = slider.value; });
    field.addEventListener("input", () => { slider.value = field.value; });
    field.after(slider);
  }
}

/** The frames beside the theme's form show what is being chosen. */
function looks() {
  const frames = [...document.querySelectorAll("iframe.theme-frame")];
  const form = document.querySelector(".theme-desk form");
  if (!form || !frames.length) return;
  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const frame of frames) {
        const address = new URL(frame.src);
        for (const name of ["accent", "radius", "typeface", "scheme", "tokens"]) address.searchParams.set(name, form.elements[name].value);
        frame.contentWindow.location.replace(address);
      }
    }, lookMs);
  });
}

/** A field that belongs to some choices of another is seen with those; what is hidden keeps what was typed. */
function choices() {
  for (const field of document.querySelectorAll("[data-for]")) {
    const choice = field.closest("form").elements[field.dataset.for];
    if (!choice) continue;
    const values = field.dataset.values.split(" ");
    const look = () => { field.hidden = !values.includes(choice.value); };
    choice.addEventListener("change", look);
    look();
  }
}
