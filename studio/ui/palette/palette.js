// Command palette (Ctrl+K, on a Mac Cmd+K), letters that lead to pages (g, then one), the sheet of them (?), and the tour.
// `data`: lang, project, words and shortcuts (in the user's language), go (letter -> page), steps and tour (how often the tour
// was asked for; -1: it was put aside). Triggers "go" with what was chosen: {page, query} or {act, argument}.
const boxes = new WeakMap();
const PENDING = 1500; // ms in which the second letter has to come
const SHOWN = 60; // options at a time
const FEW = 5; // of each kind while nothing is typed
const YEAR = 31536000;
const MAC = /mac|iphone|ipad/i.test(navigator.platform);
const KINDS = ["page", "action", "run", "model", "data", "project"];
const LETTERS = "slmops.letters";

export default function ({ data, parentElement, setTriggerValue }) {
  const box = boxes.get(parentElement) ?? build(parentElement);
  boxes.set(parentElement, box);
  Object.assign(box, { data, setTriggerValue });
  box.draw();
  box.attach();
  return () => box.detach();
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
const plain = (text) => [...text].map((sign) => sign.normalize("NFD")[0].toLowerCase()).join("");
const make = (name, text, className = "") => Object.assign(document.createElement(name), { textContent: text, className });

// Places of the letters of `asked` in `text`, in order, and how well they sit there (higher is better); null when they don't.
function fit(asked, text) {
  const whole = text.indexOf(asked);
  if (whole >= 0) {
    const start = whole === 0 || /[^\p{L}\p{N}]/u.test(text[whole - 1]);
    return { places: [...asked].map((_, at) => whole + at), score: 100 + (start ? 50 : 0) - whole / 10 - text.length / 100 };
  }
  const places = [];
  let score = 0;
  for (const sign of asked) {
    const at = text.indexOf(sign, (places.at(-1) ?? -1) + 1);
    if (at < 0) return null;
    const near = places.length && at === places.at(-1) + 1;
    const start = at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1]);
    score += near ? 4 : start ? 3 : -Math.min(3, at - (places.at(-1) ?? -1));
    places.push(at);
  }
  return score > 0 ? { places, score } : null;
}

// Each word has to fit the title, or be in the further words.
function rank(item, asked) {
  const title = plain(item.title);
  const more = plain(`${item.words ?? ""} ${item.sub ?? ""}`);
  const places = [];
  let score = 0;
  for (const word of asked) {
    const found = fit(word, title);
    if (found) {
      places.push(...found.places);
      score += found.score;
    } else if (more.includes(word)) score += 20;
    else return null;
  }
  return { item, score: score - KINDS.indexOf(item.kind), places: new Set(places) };
}

// Whether keys go to somebody who reads them: a field, a grid, an open list, a dialog.
function taken(event) {
  const path = event.composedPath().filter((each) => each instanceof Element);
  const first = path[0];
  const typing = "input:not([type=checkbox],[type=radio],[type=range],[type=button]), textarea, select, [contenteditable], " +
    "[role=textbox], [role=combobox], [role=listbox], [role=grid], [role=slider], canvas, dialog, [role=dialog]";
  return Boolean(first?.isContentEditable || path.some((each) => each.matches(typing)) ||
    document.querySelector("[data-testid=stDialog]"));
}

function build(root) {
  const find = (selector) => root.querySelector(selector);
  const [dialog, sheet, tour] = ["palette", "sheet", "tour"].map((name) => find(`dialog.${name}`));
  const input = find(".field input");
  const list = find("ul");
  const box = { items: [], shown: [], at: 0, naming: false, pending: 0, toured: null, step: 0, asked: 0 };
  const letters = () => {
    try {
      return localStorage.getItem(LETTERS) !== "off";
    } catch {
      return true;
    }
  };
  const say = (text, seen = false) => {
    find(".note").textContent = text;
    find(".note").classList.toggle("seen", seen);
  };

  // ---- palette

  const draw = () => {
    const { words } = box.data;
    const asked = plain(input.value).split(/\s+/).filter(Boolean);
    const ranked = asked.length
      ? box.items.map((item) => rank(item, asked)).filter(Boolean).sort((a, b) => b.score - a.score)
      : box.items.map((item) => ({ item, places: new Set() }));
    let found = ranked;
    if (!asked.length) {
      const counts = {};
      found = ranked.filter(({ item }) => ["page", "project"].includes(item.kind) || (counts[item.kind] = (counts[item.kind] ?? 0) + 1) <= FEW + 1);
    }
    found = box.naming ? [] : found.slice(0, SHOWN);
    const best = new Map(); // kinds in the order of their best
    for (const each of found) best.set(each.item.kind, [...(best.get(each.item.kind) ?? []), each]);
    box.shown = [...best.values()].flat().map(({ item }) => item);
    box.at = Math.max(0, Math.min(box.at, box.shown.length - 1));
    let number = 0;
    list.replaceChildren(
      ...[...best].flatMap(([kind, each]) => [
        heading(words.kinds[kind]),
        ...each.map((one) => option(one, number++)),
      ]),
    );
    mark();
    const nothing = !box.naming && !box.shown.length && box.items.length;
    if (nothing) say(words.none, true);
    else if (!box.failed) say(fill(words.results, { n: box.shown.length }));
  };
  const heading = (text) => {
    const row = make("li", text);
    row.setAttribute("role", "presentation");
    return row;
  };
  const option = ({ item, places }, at) => {
    const row = document.createElement("li");
    row.id = `slmops-option-${at}`;
    row.setAttribute("role", "option");
    const icon = make("span", item.icon, "icon");
    icon.setAttribute("aria-hidden", "true");
    const name = make("span", "", "name");
    for (const [place, sign] of [...item.title].entries()) {
      name.append(places.has(place) ? make("mark", sign) : sign);
    }
    row.append(icon, name, make("span", item.sub ?? "", "about"));
    if (item.keys) row.append(make("kbd", item.keys));
    row.onclick = () => choose(item);
    row.onpointermove = () => {
      if (box.at === at) return;
      box.at = at;
      mark(false);
    };
    return row;
  };
  const mark = (scroll = true) => {
    for (const row of list.querySelectorAll("li[role=option]")) {
      const here = row.id === `slmops-option-${box.at}`;
      row.setAttribute("aria-selected", String(here));
      if (here && scroll) row.scrollIntoView({ block: "nearest" });
    }
    if (box.shown.length) input.setAttribute("aria-activedescendant", `slmops-option-${box.at}`);
    else input.removeAttribute("aria-activedescendant");
  };
  const load = async () => {
    const number = ++box.asked;
    box.failed = false;
    try {
      const asked = new URLSearchParams({ lang: box.data.lang, project: box.data.project });
      const answer = await fetch(`api/palette?${asked}`);
      if (!answer.ok || !(answer.headers.get("content-type") ?? "").includes("json")) throw new Error(`${answer.status}`);
      const { items } = await answer.json();
      if (number !== box.asked) return;
      box.items = items;
    } catch {
      box.failed = true;
      say(box.data.words.broken, true);
    }
    draw();
  };
  const open = () => {
    if (dialog.open) return dialog.close();
    sheet.close();
    name(false);
    dialog.showModal();
    input.focus();
    draw();
    load();
  };
  const name = (naming) => {
    box.naming = naming;
    box.at = 0;
    input.value = "";
    input.placeholder = naming ? box.data.words.name : box.data.words.placeholder;
    input.setAttribute("aria-label", input.placeholder);
    if (naming) draw();
  };
  const choose = (item) => {
    if (!item) return;
    if (item.act === "new_project") return name(true);
    dialog.close();
    if (item.act === "tour") return begin();
    if (item.act === "shortcuts") return sheet.showModal();
    box.setTriggerValue("go", item.act ? { act: item.act, argument: item.argument } : { page: item.page, query: item.query ?? {} });
  };
  input.addEventListener("input", () => {
    box.at = 0;
    if (!box.naming) draw();
  });
  input.addEventListener("keydown", (event) => {
    const last = box.shown.length - 1;
    const moves = { ArrowDown: box.at < last ? box.at + 1 : 0, ArrowUp: box.at > 0 ? box.at - 1 : last };
    Object.assign(moves, { PageDown: Math.min(last, box.at + 8), PageUp: Math.max(0, box.at - 8) });
    if (event.key in moves) {
      event.preventDefault();
      box.at = moves[event.key];
      mark();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (!box.naming) choose(box.shown[box.at]);
      else if (input.value.trim()) {
        dialog.close();
        box.setTriggerValue("go", { act: "new_project", argument: input.value.trim() });
      }
    } else if (event.key === "Escape" && box.naming) {
      event.preventDefault();
      name(false);
      draw();
    }
    event.stopPropagation();
  });
  for (const each of [dialog, sheet, tour]) {
    each.addEventListener("click", (event) => event.target === each && each !== tour && each.close());
  }
  find(".open").onclick = open;

  // ---- sheet

  find(".close").onclick = () => sheet.close();
  find(".sheet input").onchange = (event) => {
    try {
      localStorage.setItem(LETTERS, event.target.checked ? "on" : "off");
    } catch {
      // it holds until the page is loaded again
    }
  };

  // ---- tour

  const link = (page) => document.querySelector(`[data-testid=stSidebarNavLink][href$="/${page}"]`);
  const light = (page) => {
    for (const each of document.querySelectorAll("[data-slmops-lit]")) {
      each.style.outline = "";
      each.removeAttribute("data-slmops-lit");
    }
    const lit = page && link(page);
    if (!lit) return;
    lit.setAttribute("data-slmops-lit", "");
    lit.style.outline = "2px solid var(--st-primary-color, #6366f1)";
    lit.scrollIntoView({ block: "nearest" });
    const place = lit.getBoundingClientRect();
    const beside = place.right > 0 && place.right + 420 < innerWidth;
    tour.style.margin = beside ? `${Math.max(12, Math.min(place.top - 24, innerHeight - 280))}px auto auto ${place.right + 28}px` : "auto";
  };
  const begin = () => {
    box.step = 0;
    if (!tour.open) tour.showModal();
    stand();
  };
  const stand = () => {
    const { steps, words } = box.data;
    const step = steps[box.step];
    find(".count").textContent = fill(words.of, { n: box.step + 1, total: steps.length });
    find("#slmops-tour").textContent = step.title;
    find(".said").textContent = step.text;
    find(".back").hidden = box.step === 0;
    find(".skip").hidden = box.step === steps.length - 1;
    find(".next").textContent = box.step === steps.length - 1 ? words.done : words.next;
    light(step.page);
    find(".next").focus();
  };
  const move = (by) => {
    box.step += by;
    if (box.step >= box.data.steps.length) tour.close();
    else stand();
  };
  const remember = () => {
    document.cookie = `slmops_tour=done; path=/; max-age=${YEAR}; SameSite=Lax`;
  };
  find(".next").onclick = () => move(1);
  find(".back").onclick = () => move(-1);
  find(".skip").onclick = () => tour.close();
  tour.addEventListener("close", () => {
    light(null);
    remember();
  });
  tour.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") move(1);
    if (event.key === "ArrowLeft" && box.step) move(-1);
  });

  // ---- keys of every page

  const key = (event) => {
    const command = MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      event.stopImmediatePropagation();
      return open();
    }
    const pending = Date.now() - box.pending < PENDING;
    if (event.ctrlKey || event.metaKey || event.altKey || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    box.pending = 0;
    if (!letters() || taken(event)) return;
    const page = pending ? box.data.go[event.key.toLowerCase()] : null;
    if (page || event.key === "?" || (event.key === "g" && !pending)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    if (page) box.setTriggerValue("go", { page, query: {} });
    else if (event.key === "?") sheet.showModal();
    else if (event.key === "g") box.pending = Date.now();
  };

  box.attach = () => addEventListener("keydown", key, true);
  box.detach = () => removeEventListener("keydown", key, true);
  box.draw = () => {
    const { words } = box.data;
    const said = (text) => (MAC ? text.replace("Ctrl", "⌘") : text);
    find(".open .text").textContent = words.open;
    find(".open kbd").textContent = said("Ctrl K");
    find(".open").setAttribute("aria-keyshortcuts", MAC ? "Meta+K" : "Control+K");
    dialog.setAttribute("aria-label", words.title);
    list.setAttribute("aria-label", words.title);
    find(".hint").textContent = words.hint;
    find("#slmops-sheet").textContent = words.sheet;
    find("label span").textContent = words.letters;
    find(".sheet input").checked = letters();
    find(".close").textContent = words.close;
    find("dl").replaceChildren(
      ...box.data.shortcuts.map(([keys, does]) => {
        const row = document.createElement("div");
        const term = document.createElement("dt");
        term.append(...said(keys).split(" ").map((one) => make("kbd", one)));
        row.append(term, make("dd", does));
        return row;
      }),
    );
    for (const [name, text] of [["skip", words.skip], ["back", words.back]]) find(`.${name}`).textContent = text;
    const before = box.toured;
    box.toured = box.data.tour;
    if (before !== null && box.data.tour > before) begin();
    if (box.data.tour < 0) remember();
  };
  return box;
}
