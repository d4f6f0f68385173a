// Streamlit pushes an entry of the history for every change of the address. What a page completes by itself right after it was
// opened, and what only filters, takes the place of the last entry instead, so that Back leads to where somebody was.
const place = (window.slmopsAddress ??= { controls: new Set(), project: "", touched: true });

function changed(from, to) {
  const names = new Set([...from.keys(), ...to.keys()]);
  return [...names].filter((name) => from.get(name) !== to.get(name));
}

function watch() {
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const now = new URL(location.href), next = new URL(url ?? "", location.href);
    if (now.pathname !== next.pathname) {
      place.touched = false;
      return push(state, title, url);
    }
    const names = changed(now.searchParams, next.searchParams);
    const quiet = !place.touched || names.every((name) => place.controls.has(name));
    return quiet ? history.replaceState(state, title, url) : push(state, title, url);
  };
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, () => { place.touched = true; }, true);
  }
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
