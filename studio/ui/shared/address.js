// Streamlit pushes an entry of the history for every change of the address. What a page completes by itself right after it was
// opened, and what only filters, takes the place of the last entry instead, so that Back leads to where somebody was.
// After Back or Forward the address is the browser's until somebody touches the page: what a run that was overtaken still says
// of its own address would be written over the entry that was gone to, and take away what lies forward.
const place = (window.slmopsAddress ??= { controls: new Set(), project: "", touched: true, walked: false, last: null });
const SOON = 3000; // milliseconds

function changed(from, to) {
  const names = new Set([...from.keys(), ...to.keys()]);
  return [...names].filter((name) => from.get(name) !== to.get(name));
}

function watch() {
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);

  // Streamlit often says the next page's parameters while the last page's path still stands: that entry is taken back.
  function turnPage(now, next, state, title) {
    const { last } = place;
    place.touched = false;
    place.last = null;
    const early = last && last.after === next.search && now.search === next.search && Date.now() - last.at < SOON;
    if (early && last.pushed) return replace(state, title, next);
    if (early) replace(state, title, last.before);
    return push(state, title, next);
  }

  history.pushState = (state, title, url) => {
    if (place.walked) return;
    const now = new URL(location.href), next = new URL(url ?? "", location.href);
    if (now.pathname !== next.pathname) return turnPage(now, next, state, title);
    const names = changed(now.searchParams, next.searchParams);
    const pushed = place.touched && !names.every((name) => place.controls.has(name));
    place.last = { before: now.href, after: next.search, pushed, at: Date.now() };
    return (pushed ? push : replace)(state, title, next);
  };
  history.replaceState = (state, title, url) => { if (!place.walked) replace(state, title, url); };
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, () => { Object.assign(place, { touched: true, walked: false, last: null }); }, true);
  }
  window.addEventListener("popstate", () => { Object.assign(place, { touched: false, walked: true, last: null }); }, true);
  // A page of the menu that is opened in another tab opens in this tab's project.
  for (const kind of ["pointerdown", "focusin"]) {
    document.addEventListener(kind, ({ target }) => {
      const link = target.closest?.("a[data-testid=stSidebarNavLink]");
      if (link && place.project) link.search = new URLSearchParams({ project: place.project });
    }, true);
  }
}

if (!place.watched) {
  place.watched = true;
  watch();
}

export default function ({ data }) {
  place.controls = new Set(data.controls);
  place.project = data.project;
}
