// Exchanges Streamlit's own English words as they appear. `data`: English -> the page's language, in `names` for attributes and the
// menu, in `texts` for dialogs and lists, where people's own words stand too; empty on an English page. A place in braces stands
// for any text.
const ATTRIBUTES = ["aria-label", "title", "placeholder", "data-title"];
const OWN = "[data-testid^=stMainMenu], [data-testid=stStatusWidget], [data-testid=stSkipToContent]";
const SHARED = "[data-testid=stDialog], [role=listbox]";
const state = { names: [], texts: [], told: "{}", observer: null, app: null };

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const rule = ([from, to]) => [new RegExp("^" + escaped(from).replace(/\\\{\w+\\\}/, "([^]+)") + "$"), to];

function learn(data, turned) {
  for (const kind of ["names", "texts"]) {
    const pairs = Object.entries(data[kind] ?? {}).map(([from, to]) => (turned ? [to, from] : [from, to]));
    state[kind] = pairs.sort(([one], [two]) => one.includes("{") - two.includes("{")).map(rule);
  }
}

function said(text, rules) {
  const words = text.trim();
  if (!words || words.length > 400) return text;
  for (const [pattern, to] of rules) {
    const found = words.match(pattern);
    if (found) return to.replace(/\{\w+\}/, () => found[1]);
  }
  return text;
}

function attribute(element, name) {
  const value = element.getAttribute(name);
  const other = value && said(value, state.names);
  if (other && other !== value) element.setAttribute(name, other);
}

function text(node) {
  const own = node.parentElement?.closest(OWN);
  if (!own && !node.parentElement?.closest(SHARED)) return;
  const other = said(node.data, own ? [...state.texts, ...state.names] : state.texts);
  if (other !== node.data) node.data = other;
}

function visit(root) {
  if (root.nodeType === Node.TEXT_NODE) return text(root);
  if (root.nodeType !== Node.ELEMENT_NODE) return;
  for (const name of ATTRIBUTES) {
    attribute(root, name);
    for (const element of root.querySelectorAll(`[${name}]`)) attribute(element, name);
  }
  const parts = root.closest(`${OWN}, ${SHARED}`) ? [root] : root.querySelectorAll(`${OWN}, ${SHARED}`);
  for (const part of parts) {
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) text(walker.currentNode);
  }
}

function look(changes) {
  for (const { type, target, attributeName, addedNodes } of changes) {
    if (type === "attributes") attribute(target, attributeName);
    else if (type === "characterData") text(target);
    else for (const node of addedNodes) visit(node);
  }
}

// Dialogs and popovers hang beside the app, which alone has the theme's colour scheme: they take it from the document.
function scheme() {
  const app = document.querySelector("[data-testid=stApp]");
  if (!app) return;
  document.documentElement.style.colorScheme = getComputedStyle(app).colorScheme;
  if (app === state.app) return;
  state.app = app;
  new MutationObserver(scheme).observe(app, { attributes: true, attributeFilter: ["class"] });
}

export default function ({ data }) {
  scheme();
  const told = JSON.stringify(data);
  if (told === state.told) return;
  state.observer?.disconnect();
  learn(JSON.parse(state.told), true);
  visit(document.body);
  state.told = told;
  learn(data, false);
  visit(document.body);
  if (told === "{}") return;
  state.observer ??= new MutationObserver(look);
  const more = { attributes: true, attributeFilter: ATTRIBUTES };
  state.observer.observe(document.body, { childList: true, subtree: true, ...more });
}
