const cell = (row, name, child) => {
  const td = row.insertCell();
  td.className = name;
  td.append(child);
  td.dir = "auto";
};

export default function ({ data, parentElement, setTriggerValue }) {
  const table = document.createElement("table");
  table.setAttribute("aria-label", data.label);
  const head = table.createTHead().insertRow();
  for (const title of data.columns) {
    const th = document.createElement("th");
    th.scope = "col";
    th.textContent = title;
    head.append(th);
  }
  const body = table.createTBody();
  for (const job of data.rows) {
    const row = body.insertRow();
    row.onclick = () => setTriggerValue("job", job.id);
    const open = document.createElement("button");
    open.type = "button";
    open.textContent = job.stage;
    open.title = data.hint;
    cell(row, "stage", open);
    const link = document.createElement("a");
    link.href = `run?run=${encodeURIComponent(job.run)}`;
    link.textContent = link.title = job.name;
    link.onclick = (event) => {
      event.stopPropagation();
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      setTriggerValue("run", job.run);
    };
    cell(row, "run", link);
    cell(row, "project", job.project);
    const state = document.createElement("span");
    state.className = `state ${job.tone}`;
    state.textContent = job.state;
    cell(row, "", state);
    for (const name of ["took", "started", "attempts"]) cell(row, `figure ${name}`, job[name]);
  }
  parentElement.querySelector(".jobs").replaceChildren(table);
}
