// Rows of a dataset one after the other, decided by keys. Rows come in pages from api/reviews/<dataset>/rows; a decision is
// shown at once and sent in the background until the server has it; what waits also lies in the browser's storage.
// `data`: dataset (id), report (id, "" for a teacher's answers), test (with test rows), labels (empty for free text), words (in the user's language), lang.
const boxes = new WeakMap();
const AHEAD = 12; // fewer rows than this in store: the next page is fetched
const LOOK = 3000; // ms between two looks for what others decided
const STEPS = 200; // as many decisions can be undone

export default function ({ data, parentElement }) {
  const known = boxes.get(parentElement);
  const box = known ?? build(parentElement, data);
  boxes.set(parentElement, box);
  box.data = data;
  box.attach();
  if (known) box.renew();
  else box.begin();
  return () => box.detach();
}

const verdict = (said) =>
  said?.decision === "reject" ? "rejected" : said?.decision === "accept" ? (said.output == null ? "accepted" : "edited") : null;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
const blank = (row) => ({ row, decision: null, output: null, rating: null, note: "" });

// What is on its way to the server: row -> the last word on it. It survives a reload, and the end of the tab.
function outbox(queue) {
  const prefix = `slmops.review.${queue}.`;
  const stored = (storage, work) => {
    try {
      return work(storage());
    } catch {
      return null; // storage is full or switched off: what waits is kept in memory
    }
  };
  const tab = stored(() => sessionStorage, (storage) => {
    const name = storage.getItem("slmops.tab") ?? `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
    storage.setItem("slmops.tab", name);
    return name;
  });
  const waiting = new Map();
  const arrived = new Map(); // saved since the last question for rows: its answer may not know of them yet
  stored(() => localStorage, (storage) => {
    for (const key of Object.keys(storage).filter((name) => name.startsWith(prefix))) {
      for (const said of JSON.parse(storage.getItem(key))) waiting.set(said.row, said);
      if (key !== prefix + tab) storage.removeItem(key);
    }
  });
  let kept = false; // whether what waits lies in the storage, where another tab can take it over
  const keep = () =>
    stored(() => localStorage, (storage) => {
      kept = false;
      if (!waiting.size) return storage.removeItem(prefix + tab);
      storage.setItem(prefix + tab, JSON.stringify([...waiting.values()]));
      kept = true;
    });
  const release = () => {
    if (!kept || stored(() => localStorage, (storage) => storage.getItem(prefix + tab) === null) !== true) return false;
    waiting.clear();
    kept = false;
    return true;
  };
  keep();
  return {
    get size() {
      return waiting.size;
    },
    of: (row) => waiting.get(row),
    last: (row) => waiting.get(row) ?? arrived.get(row),
    asks: () => arrived.clear(),
    first: () => waiting.values().next().value,
    release, // lets go of what another tab has taken over: that one sends it, and may say something newer
    add(said) {
      release();
      waiting.delete(said.row);
      waiting.set(said.row, said);
      keep();
    },
    done(said) {
      if (waiting.get(said.row) === said) waiting.delete(said.row);
      arrived.set(said.row, said);
      keep();
    },
  };
}

class Refused extends Error {
  constructor(problems) {
    super(problems[0].text);
    this.problem = problems[0];
  }
}

// What is wrong with a decision itself, or with its dataset; anything else may pass, and is tried again.
const FINAL = /^(review\.(row_unknown|label_unknown|no_teacher|report_other|unreadable)|core\.artifact_(unknown|kind))$/;

async function ask(address, body) {
  const headers = { "Content-Type": "application/json", "X-SLMOPS-Upload": "1" };
  const answer = await fetch(address, body ? { method: "POST", headers, body: JSON.stringify(body), keepalive: body.output == null } : {});
  if (!(answer.headers.get("content-type") ?? "").includes("json")) throw new Error(`${answer.status}`);
  const said = await answer.json();
  const wrong = said.problems?.[0]?.code;
  if (answer.status >= 400 && answer.status < 500 && wrong && (!body || FINAL.test(wrong))) throw new Refused(said.problems);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return said;
}

function build(root, data) {
  const find = (selector) => root.querySelector(selector);
  const base = `api/reviews/${encodeURIComponent(data.dataset)}`;
  const where = new URLSearchParams(data.report ? { report: data.report, ...(data.test ? { test: "1" } : {}) } : {});
  const queue = data.dataset + (data.report ? `~${where}` : "");
  const box = { data, rows: [], at: 0, next: 0, show: "unreviewed", label: "", counts: null, moment: 0 };
  box.waiting = outbox(queue);
  Object.assign(box, { failure: "", editing: false, loading: null, sending: null, delay: 1000, steps: [], ended: false });
  const memory = `slmops.steps.${queue}`;
  try {
    box.steps = JSON.parse(sessionStorage.getItem(memory)) ?? [];
  } catch {
    box.steps = [];
  }
  const number = (value) => new Intl.NumberFormat(box.data.lang).format(value);
  const percent = (share) => new Intl.NumberFormat(box.data.lang, { style: "percent", maximumFractionDigits: 0 }).format(share);
  const put = (selector, text) => {
    const element = find(selector);
    if (element.textContent !== text) element.textContent = text;
  };
  const here = () => (box.ended ? undefined : box.rows[box.at]); // the row that is shown
  const row = () => (box.moving ? undefined : here()); // and can be decided

  // ---- rows

  const take = (page, fresh) => {
    const there = new Set(fresh ? [] : box.rows.map((each) => each.id));
    const come = page.rows.filter((each) => !there.has(each.id));
    for (const each of come) each.said = box.waiting.last(each.id) ?? each.said;
    const kept = box.show === "unreviewed" ? come.filter((each) => !verdict(each.said)) : come;
    box.rows = fresh ? kept : [...box.rows, ...kept];
    box.next = page.next;
    if (!box.waiting.size || !box.counts) box.counts = page.counts;
    if (fresh) box.moment = page.moment;
  };
  const fetchPage = (start) => {
    const query = new URLSearchParams([["show", box.show], ["label", box.label], ["start", start], ...where]);
    box.waiting.asks();
    return ask(`${base}/rows?${query}`);
  };
  const more = (fresh = false) => {
    box.loading ??= (async () => {
      const asked = `${box.show} ${box.label}`;
      try {
        let page = await fetchPage(fresh ? 0 : box.next);
        if (asked !== `${box.show} ${box.label}`) return;
        take(page, fresh);
        while (!box.rows.slice(fresh ? 0 : box.at).length && box.next != null) {
          page = await fetchPage(box.next);
          take(page, false);
        }
        if (fresh) box.at = 0;
        box.failure = "";
      } catch (error) {
        box.failure = error instanceof Refused ? said(error) : box.data.words.broken;
        box.broken = true;
      }
    })().finally(() => {
      box.loading = null;
    });
    return box.loading;
  };
  const ahead = async () => {
    while (box.rows.length - box.at < AHEAD && box.next != null && !box.loading && !box.stale && !box.broken) await more();
  };
  const load = async () => {
    box.stale = true; // what is on its way is of another filter
    while (box.loading) await box.loading;
    Object.assign(box, { stale: false, broken: false });
    await more(true);
    box.ended = !box.rows.length && !box.broken;
    box.draw();
    ahead();
  };
  box.begin = () => {
    words();
    send();
    load();
  };

  box.renew = () => {
    words();
    box.draw();
  };

  const settled = (each) => box.show === "unreviewed" && verdict(each.said);
  const step = () => {
    let at = box.at + 1;
    while (at < box.rows.length && settled(box.rows[at])) at += 1;
    if (at >= box.rows.length) return false;
    box.at = at;
    box.draw();
    return true;
  };
  const onward = async () => {
    if (box.moving) return;
    if (step()) return ahead();
    box.moving = true; // what is pressed until the next row is there is not meant for this one
    if (box.next != null) await more();
    if (!step()) {
      if (box.show === "unreviewed") await load(); // those that were passed over come again
      else box.draw();
    }
    box.moving = false;
    ahead();
  };
  const back = () => {
    if (box.moving) return;
    if (box.ended && box.rows.length) box.ended = false;
    else box.at = Math.max(0, box.at - 1);
    box.draw();
  };

  // ---- decisions

  const said = (error) => {
    const { code, args } = error.problem;
    return fill(box.data.words.problems[code] ?? error.message, args ?? {});
  };
  const count = (before, after) => {
    if (before && box.counts) box.counts[before] -= 1;
    if (after && box.counts) box.counts[after] += 1;
  };
  const say = (target, next) => {
    const was = target.said ?? blank(target.id);
    count(verdict(was), verdict(next));
    target.said = next;
    box.waiting.add(next);
    send();
    return was;
  };
  const change = (values) => {
    const target = row();
    if (!target) return null;
    const was = say(target, { ...blank(target.id), ...target.said, ...values });
    box.steps = [...box.steps, { row: target.id, was }].slice(-STEPS);
    keepSteps();
    return target;
  };
  const keepSteps = () => {
    try {
      sessionStorage.setItem(memory, JSON.stringify(box.steps));
    } catch {
      return; // then undo reaches back to the last reload only
    }
  };
  const decide = (values) => {
    const target = change(values);
    if (!target) return;
    box.news = box.data.words.did[verdict(target.said)];
    box.editing = false;
    onward();
  };
  const accept = () => decide({ decision: "accept", output: null });
  const reject = () => decide({ decision: "reject", output: null });
  const rate = (rating) => {
    if (!row()) return;
    change({ rating: row().said?.rating === rating ? null : rating });
    box.draw();
  };
  const undo = async () => {
    const last = box.moving ? null : box.steps.pop();
    if (!last) return;
    keepSteps();
    box.news = box.data.words.undone;
    const at = box.rows.findIndex((each) => each.id === last.row);
    if (at >= 0) {
      say(box.rows[at], last.was);
      Object.assign(box, { at, ended: false, editing: false });
      box.draw();
      return;
    }
    box.waiting.add(last.was); // decided before a reload: the row is not at hand
    await send();
    load();
  };

  // ---- to the server and back

  const send = () => {
    box.sending ??= flush().finally(() => {
      box.sending = null;
      state();
    });
    return box.sending;
  };
  const flush = async () => {
    clearTimeout(box.retry);
    while (box.waiting.size) {
      if (box.waiting.release()) {
        setTimeout(load);
        return;
      }
      const first = box.waiting.first();
      state();
      try {
        const answer = await ask(`${base}?${where}`, first);
        box.waiting.done(first);
        box.delay = 1000;
        box.offline = false;
        if (!box.waiting.size) box.counts = answer.counts;
      } catch (error) {
        if (error instanceof Refused) {
          box.waiting.done(first);
          await load(); // what the browser showed was not what the server has
          box.failure = said(error);
          continue;
        }
        box.offline = true;
        box.retry = setTimeout(send, box.delay);
        box.delay = Math.min(box.delay * 2, 15000);
        return;
      }
    }
  };
  const look = async () => {
    if (document.hidden || !box.moment) return;
    if (box.broken && !box.rows.length) return load();
    try {
      const found = await ask(`${base}/changes?${new URLSearchParams([["since", box.moment], ...where])}`);
      if (box.broken) Object.assign(box, { broken: false, failure: "" });
      box.moment = found.moment;
      const others = new Map(found.said.map((each) => [each.row, each]));
      let mine = false;
      for (const each of box.rows) {
        const news = others.get(each.id);
        if (!news || box.waiting.of(each.id) || JSON.stringify(news) === JSON.stringify(each.said)) continue;
        each.said = news;
        mine ||= each === here();
      }
      if (!box.waiting.size) box.counts = found.counts;
      if (mine && !box.editing) box.draw();
      else state();
    } catch {
      return; // decisions are what counts; their own line says when the connection is broken
    }
  };
  const online = () => {
    box.delay = 1000;
    send();
  };

  // ---- drawing

  const words = () => {
    const w = box.data.words;
    const key = (selector, text, letter) => {
      const hint = document.createElement("kbd");
      hint.textContent = letter;
      find(selector).replaceChildren(text, hint);
      find(selector).setAttribute("aria-keyshortcuts", letter);
    };
    key(".accept", w.accept, "A");
    key(".reject", w.reject, "R");
    key(".edit", w.edit, "E");
    key(".undo", w.undo, "U");
    put(".rating .name", w.rating);
    for (const [selector, text] of [[".review", w.title], [".actions", w.actions], [".rating", w.rating], [".move", w.move],
      [".back", w.back], [".on", w.on], ["progress", w.progress], [".labels", w.labels], [".card", w.row]]) {
      find(selector).setAttribute("aria-label", text);
    }
    for (const [selector, text] of [[".t-input", w.input], [".t-answer", w.answer], [".t-own", w.own], [".t-gold", w.gold],
      [".t-editor", w.editor], [".save", w.save], [".cancel", w.cancel], [".rationale summary", w.rationale], [".note span", w.note],
      [".help summary", w.help], [".off span", w.keysOn], [".end button", w.again], [".pick:not(.by) .name", w.show], [".by .name", w.label]]) {
      put(selector, text);
    }
    find(".editor .t-editor").htmlFor = data.labels.length ? "short" : "long";
    find(".short").id = "short";
    find(".long").id = "long";
    find(".labels").id = "labels";
    find(".short").setAttribute("aria-controls", "labels");
    options(".show", w.shows, box.show);
    options(".label", [["", w.anyLabel], ...data.labels.map((label) => [label, label])], box.label);
    find(".by").hidden = !data.labels.length;
    find("dl").replaceChildren(...w.keys.flatMap(([letters, text]) => {
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      const kbd = document.createElement("kbd");
      kbd.textContent = letters;
      dt.append(kbd);
      dd.textContent = text;
      return [dt, dd];
    }));
    if (!find(".rating button")) {
      find(".rating").append(...[1, 2, 3, 4, 5].map((rating) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = rating;
        button.onclick = () => rate(rating);
        return button;
      }));
    }
    for (const button of find(".rating").querySelectorAll("button")) {
      button.setAttribute("aria-label", fill(w.rate, { n: button.textContent }));
    }
  };
  const options = (selector, pairs, chosen) =>
    find(selector).replaceChildren(...pairs.map(([value, text]) => {
      const option = new Option(text, value, false, value === chosen);
      option.dir = "auto";
      return option;
    }));

  const state = () => {
    const w = box.data.words;
    const now = !box.waiting.size ? "saved" : box.offline ? "waiting" : "saving";
    find(".kept").dataset.state = now;
    put(".kept", now === "waiting" ? fill(w.waiting, { n: number(box.waiting.size) }) : w[now]);
    if (now === "waiting" && !box.told) put(".unseen", find(".kept").textContent);
    if (now === "saved" && box.told) put(".unseen", w.saved);
    if (now !== "saving") box.told = now === "waiting";
    if (!box.counts) return;
    const { total, accepted, edited, rejected } = box.counts;
    const reviewed = accepted + edited + rejected;
    const shown = Object.fromEntries(Object.entries({ reviewed, total, accepted, edited, rejected }).map(([name, n]) => [name, number(n)]));
    put(".counts", fill(w.counts, shown));
    find("progress").value = total ? reviewed / total : 0;
    find(".undo").disabled = !box.steps.length;
    put(".end p", total && reviewed >= total ? w.allDone : w.nothing);
    find(".failed").hidden = !box.failure;
    put(".failed", box.failure);
  };
  const marks = (target) => {
    const w = box.data.words;
    const found = [];
    if (verdict(target.said)) found.push([verdict(target.said), w.did[verdict(target.said)]]);
    if (target.split) found.push(["split", w.splits[target.split] ?? target.split]);
    if (target.why) found.push(["differs", fill(w.why, { why: target.why })]);
    if (target.confidence != null) found.push(["sure", fill(w.confidence, { share: percent(target.confidence) })]);
    if (target.gold != null && target.gold.trim() !== target.output.trim()) found.push(["differs", w.differs]);
    find(".marks").replaceChildren(...found.map(([name, text]) => {
      const mark = document.createElement("span");
      mark.className = `mark ${name}`;
      mark.textContent = text;
      return mark;
    }));
  };
  const turns = (target) => {
    const w = box.data.words;
    find(".context").hidden = !target.context.length;
    put(".context summary", fill(w.context, { n: number(target.context.length) }));
    find(".turns").replaceChildren(...target.context.map(({ role, content }) => {
      const turn = document.createElement("p");
      const who = document.createElement("b");
      who.textContent = `${w.roles[role] ?? role}: `;
      turn.dir = "auto";
      turn.append(who, content);
      return turn;
    }));
  };
  box.draw = () => {
    state();
    const target = here();
    find(".card").hidden = !target;
    find(".end").hidden = !(box.ended || (!target && !box.loading && box.counts));
    for (const name of ["accept", "reject", "edit"]) find(`.${name}`).disabled = !target;
    for (const button of find(".rating").querySelectorAll("button")) {
      button.disabled = !target;
      button.setAttribute("aria-pressed", String(target?.said?.rating === Number(button.textContent)));
    }
    if (!target) {
      if (box.ended) put(".unseen", find(".end p").textContent);
      return;
    }
    const changed = box.drawn !== target.id;
    if (changed) box.editing = false;
    box.drawn = target.id;
    marks(target);
    if (changed) {
      turns(target);
      put(".input", target.input);
      put(".answer", target.output);
      put(".gold .text", target.gold ?? "");
      put(".rationale .text", target.rationale ?? "");
      find(".rationale").hidden = !target.rationale;
      for (const text of root.querySelectorAll(".text")) text.scrollTop = 0;
    }
    find(".gold").hidden = target.gold == null;
    find(".own").hidden = verdict(target.said) !== "edited";
    put(".own .text", target.said?.output ?? "");
    find(".sides").classList.toggle("struck", ["edited", "rejected"].includes(verdict(target.said)));
    if (changed || !find(".note input").matches(":focus")) find(".note input").value = target.said?.note ?? "";
    find(".editor").hidden = !box.editing;
    find(".card").dataset.row = target.id;
    if (changed) {
      const start = target.input.length > 160 ? `${target.input.slice(0, 160)}…` : target.input;
      put(".unseen", [box.news, start].filter(Boolean).join(" · "));
      box.news = "";
      requestAnimationFrame(reachable);
    }
  };
  const reachable = () => {
    for (const text of root.querySelectorAll(".text, .labels")) {
      if (text.scrollHeight > text.clientHeight + 1) text.tabIndex = 0;
      else text.removeAttribute("tabindex");
    }
  };

  // ---- the editor

  const choices = () => {
    const wanted = find(".short").value.trim().toLocaleLowerCase();
    const { gold, output, why } = here();
    const likely = (label) => label === gold || why.includes(`→ ${label} (`);
    const place = (label) => (likely(label) ? 0 : label === output ? 2 : 1); // the likeliest correction first
    const all = [...data.labels].sort((one, two) => place(one) - place(two));
    const begins = all.filter((label) => label.toLocaleLowerCase().startsWith(wanted));
    return [...begins, ...all.filter((label) => !begins.includes(label) && label.toLocaleLowerCase().includes(wanted))];
  };
  const list = (active = 0) => {
    const found = choices();
    box.active = Math.min(Math.max(active, 0), found.length - 1);
    find(".labels").replaceChildren(...found.map((label, at) => {
      const item = document.createElement("li");
      item.id = `label-${at}`;
      item.role = "option";
      item.dir = "auto";
      item.textContent = label;
      item.ariaSelected = String(at === box.active);
      item.onclick = () => correct(label);
      return item;
    }));
    find(".short").setAttribute("aria-activedescendant", found.length ? `label-${box.active}` : "");
    find(`#label-${box.active}`)?.scrollIntoView({ block: "nearest" });
    reachable();
  };
  const edit = () => {
    const target = row();
    if (!target) return;
    box.editing = true;
    box.draw();
    const short = data.labels.length > 0;
    for (const name of [".short", ".labels"]) find(name).hidden = !short;
    find(".long").hidden = short;
    const field = find(short ? ".short" : ".long");
    field.value = short ? "" : (target.said?.output ?? target.output);
    if (short) list();
    field.focus();
  };
  const correct = (text) => {
    const answer = text.trim();
    if (!answer) return find(data.labels.length ? ".short" : ".long").focus();
    decide({ decision: "accept", output: answer === here().output ? null : answer });
    find(".card").focus({ preventScroll: true });
  };
  const save = () => correct(data.labels.length ? (choices()[box.active] ?? "") : find(".long").value);
  const leave = () => {
    box.editing = false;
    box.draw();
    find(".card").focus({ preventScroll: true });
  };

  // ---- keys and clicks

  const KEYS = { a: accept, r: reject, e: edit, u: undo, arrowleft: back, arrowright: () => onward(), n: () => find(".note input").focus() };
  const typing = (element) => element?.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]");
  const within = (element) => !element || element === document.body || element === document.documentElement || root.contains(element) ||
    element === root.host;
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !find(".off input").checked) return;
    const target = event.composedPath()[0];
    if (typing(target) || !within(target) || document.querySelector("[role=dialog]")) return;
    const work = KEYS[event.key.toLowerCase()] ?? (/^[1-5]$/.test(event.key) ? () => rate(Number(event.key)) : null);
    if (!work) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Streamlit has a use for some of these letters, too
    if (!event.repeat || event.key.startsWith("Arrow")) work(); // a key that is held down decides once
  };
  const inEditor = (event) => {
    const at = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.target.matches(".short"))) save();
    else if (at && event.target.matches(".short")) list(box.active + at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  find(".accept").onclick = accept;
  find(".reject").onclick = reject;
  find(".edit").onclick = edit;
  find(".undo").onclick = undo;
  find(".back").onclick = back;
  find(".on").onclick = () => onward();
  find(".cancel").onclick = leave;
  find(".editor").onkeydown = inEditor;
  find(".editor").onsubmit = (event) => {
    event.preventDefault();
    save();
  };
  find(".short").oninput = () => list();
  find(".note input").onchange = (event) => {
    if (row()) change({ note: event.target.value.trim() });
    state();
  };
  find(".note input").onkeydown = (event) => {
    if (event.key === "Enter" || event.key === "Escape") find(".card").focus({ preventScroll: true });
  };
  const filter = () => {
    box.show = find(".show").value;
    box.label = find(".label").value;
    box.editing = false;
    box.drawn = null;
    load();
  };
  find(".show").onchange = filter;
  find(".label").onchange = filter;
  find(".end button").onclick = () => {
    find(".show").value = "all";
    find(".label").value = "";
    filter();
  };
  box.attach = () => {
    window.addEventListener("keydown", press, true);
    window.addEventListener("online", online);
    box.timer ??= setInterval(look, LOOK);
  };
  box.detach = () => {
    window.removeEventListener("keydown", press, true);
    window.removeEventListener("online", online);
    clearInterval(box.timer);
    box.timer = null;
  };
  return box;
}
