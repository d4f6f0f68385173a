const made = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

const button = (name, text, action) => {
  const element = made("button", name, text);
  element.type = "button";
  element.onclick = action;
  return element;
};

const box = (label, on) => {
  const element = made("input");
  element.type = "checkbox";
  element.checked = on;
  element.setAttribute("aria-label", label);
  return element;
};

function head(table, data, setTriggerValue) {
  const row = table.createTHead().insertRow();
  row.append(made("th", "c-pick"));
  for (const [name, title] of data.columns) {
    const th = made("th", `c-${name}`);
    th.scope = "col";
    if (data.sort === null) {
      th.textContent = title;
      row.append(th);
      continue;
    }
    const here = data.sort === name;
    if (here) th.setAttribute("aria-sort", data.descending ? "descending" : "ascending");
    const sort = button("", title, () => setTriggerValue("sort", name));
    sort.title = data.words.sort;
    const arrow = made("span", "arrow", here ? (data.descending ? "\u2193" : "\u2191") : "\u2195");
    arrow.setAttribute("aria-hidden", "true");
    sort.append(arrow);
    th.append(sort);
    row.append(th);
  }
}

function answer(cell, row, words) {
  cell.append(row.none ? made("div", "none", row.none) : made("div", "text", row.answer));
  const tags = row.tags.map((tag) => made("span", "tag", tag));
  if (row.state) tags.unshift(made("span", `tag state ${row.state}`, words.states[row.state]));
  if (tags.length) {
    const line = made("div", "tags");
    line.append(...tags);
    cell.append(line);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".rows");
  const words = data.words;
  const ids = data.rows.map((row) => row.id);
  root.chosen = new Set([...(root.chosen ?? [])].filter((id) => ids.includes(id)));
  const chosen = root.chosen;
  const bar = made("div", "bar");
  const lines = new Map();

  const act = (name) => {
    const asked = ids.filter((id) => chosen.has(id));
    chosen.clear();
    setTriggerValue(name, asked);
  };
  const tell = () => {
    const all = made("label", "pick");
    const every = box(words.all, ids.length > 0 && chosen.size === ids.length);
    every.indeterminate = chosen.size > 0 && chosen.size < ids.length;
    every.onchange = () => {
      ids.forEach((id) => (every.checked ? chosen.add(id) : chosen.delete(id)));
      tell();
    };
    all.append(every, made("span", "", chosen.size ? words.chosen.replace("{n}", chosen.size) : words.all));
    const actions = chosen.size
      ? [button("act", words.tag, () => act("tag")), button("act", words.delete, () => act("delete"))]
      : [];
    bar.replaceChildren(all, ...actions);
    for (const [id, [line, check]] of lines) {
      check.checked = chosen.has(id);
      line.classList.toggle("chosen", chosen.has(id));
    }
  };

  const table = made("table");
  table.setAttribute("aria-label", words.label);
  head(table, data, setTriggerValue);
  const body = table.createTBody();
  for (const row of data.rows) {
    const line = body.insertRow();
    line.className = row.state;
    line.onclick = () => setTriggerValue("open", row.id);
    const pick = line.insertCell();
    pick.className = "pick-cell";
    pick.onclick = (event) => event.stopPropagation();
    const check = box(`${words.choose}: ${row.id}`, false);
    check.onchange = () => {
      if (check.checked) chosen.add(row.id);
      else chosen.delete(row.id);
      tell();
    };
    pick.append(check);
    lines.set(row.id, [line, check]);
    for (const [name] of data.columns) {
      const cell = line.insertCell();
      cell.className = name;
      cell.dir = "auto";
      if (name === "length") {
        const open = button("open", undefined, (event) => {
          event.stopPropagation();
          setTriggerValue("open", row.id);
        });
        open.title = words.edit;
        open.append(made("div", "text", row.input));
        cell.append(open);
        if (row.notes) cell.append(made("div", "notes", row.notes));
      } else if (name === "answer") answer(cell, row, words);
      else cell.textContent = row[name] ?? "";
    }
  }
  tell();
  root.replaceChildren(bar, table);
}
