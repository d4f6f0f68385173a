const made = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

const cell = (row, name, ...children) => {
  const td = row.insertCell();
  td.className = name;
  td.append(...children);
  td.dir = "auto";
  return td;
};

function box(label, checked, change) {
  const input = made("input");
  input.type = "checkbox";
  input.checked = checked;
  input.setAttribute("aria-label", label);
  input.onclick = (event) => event.stopPropagation();
  input.onchange = () => change(input.checked);
  return input;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const chosen = new Set(data.chosen);
  const tell = () => setTriggerValue("chosen", `=${[...chosen].join(",")}`);
  const table = made("table");
  table.setAttribute("aria-label", data.label);
  const head = table.createTHead().insertRow();
  const first = made("th", "box");
  const every = data.rows.every((run) => chosen.has(run.id));
  first.append(
    box(data.all, every, (on) => {
      for (const run of data.rows) on ? chosen.add(run.id) : chosen.delete(run.id);
      tell();
    }),
  );
  head.append(first);
  for (const title of data.columns) {
    const th = made("th", "", title);
    th.scope = "col";
    head.append(th);
  }
  const body = table.createTBody();
  for (const run of data.rows) {
    const row = body.insertRow();
    row.onclick = () => (run.job ? setTriggerValue("job", run.job) : setTriggerValue("run", run.id));
    const name = `${run.number} ${run.name}`.trim();
    const tick = box(data.choose.replace("{name}", name), chosen.has(run.id), (on) => {
      on ? chosen.add(run.id) : chosen.delete(run.id);
      tell();
    });
    const around = cell(row, "box", tick);
    around.onclick = (event) => event.stopPropagation();
    const link = made("a", "", run.name);
    link.href = `run?id=${encodeURIComponent(run.id)}`;
    link.title = name;
    link.onclick = (event) => {
      event.stopPropagation();
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      setTriggerValue("run", run.id);
    };
    const held = cell(row, "run", made("span", "number", run.number), link);
    for (const tag of run.tags) held.append(made("span", "tag", tag));
    if (run.project) held.append(made("div", "sub", run.project));
    const open = made("button", "", run.stage);
    open.type = "button";
    open.title = run.title;
    open.setAttribute("aria-label", `${data.hint}: ${name}, ${run.stage}`);
    cell(row, "stage", open);
    cell(row, "data", run.data);
    cell(row, "changes", run.changes).title = run.changes;
    cell(row, "", made("span", `state ${run.tone}`, run.state));
    for (const part of ["took", "started"]) cell(row, `figure ${part}`, run[part]);
  }
  parentElement.querySelector(".jobs").replaceChildren(table);
}
