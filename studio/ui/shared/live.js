const FAST = 2000, SLOW = 5000;
const ON = "slmops_notify", TOLD = "slmops_told";
const state = { data: null, percent: null, timer: 0, trigger: null, watching: false };

const read = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const write = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode */ } };

const share = (percent) => new Intl.NumberFormat(state.data.lang, { style: "percent" }).format(percent / 100);

function titled() {
  if (!state.data) return;
  const wanted = (state.percent === null ? "" : `(${share(state.percent)}) `) + state.data.title;
  if (document.title !== wanted) document.title = wanted;
}

function tell(news) {
  const told = JSON.parse(read(TOLD) || "[]");
  const fresh = news.filter((each) => !told.includes(each.id));
  if (!fresh.length) return;
  write(TOLD, JSON.stringify([...told, ...fresh.map((each) => each.id)].slice(-200)));
  if (read(ON) !== "1" || !("Notification" in window) || Notification.permission !== "granted") return;
  for (const each of fresh) {
    const shown = new Notification(each.title, { body: each.body, tag: each.id, icon: "/app/static/icon.svg" });
    shown.onclick = () => { window.focus(); location.assign(each.url); };
  }
}

async function look() {
  clearTimeout(state.timer);
  let busy = false;
  try {
    const { project, lang, unread } = state.data;
    const answer = await fetch("/api/live?" + new URLSearchParams({ project, lang }));
    if (answer.ok) {
      const found = await answer.json();
      busy = found.busy;
      state.percent = found.percent;
      titled();
      tell(found.news);
      const mark = found.unread.join();
      if (project === state.data.project && mark !== state.data.unread.join() && mark !== state.asked) {
        state.asked = mark;
        state.trigger("changed", mark);
      }
    }
  } catch { /* the studio is away: the page itself says so */ }
  state.timer = setTimeout(look, busy ? FAST : SLOW);
}

export default function ({ data, setTriggerValue }) {
  state.data = data;
  state.trigger = setTriggerValue;
  titled();
  if (!state.watching) {
    state.watching = true;
    new MutationObserver(titled).observe(document.querySelector("title") || document.head, { childList: true, subtree: true });
    look();
  }
}
