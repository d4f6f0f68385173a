const made = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

function bar(cell) {
  const outer = made("div", "bar");
  const fill = made("div", "fill");
  fill.style.width = `${100 * cell.share}%`;
  if (cell.colour) fill.style.background = cell.colour;
  outer.append(fill);
  if (cell.range) {
    const range = made("div", "range");
    range.style.left = `${100 * cell.range[0]}%`;
    range.style.width = `${100 * (cell.range[1] - cell.range[0])}%`;
    outer.append(range);
  }
  return outer;
}

function drawn(cell, column) {
  const td = made("td", { figure: "figure", name: "key" }[column.kind] ?? "");
  td.dataset.title = column.title;
  if (td.className === "key" && /^[\d.,\s]+$/.test(cell.text)) td.classList.add("numbered");
  if (cell.mark) td.append(made("div", `mark ${cell.mark}`, cell.said));
  const text = made("div", column.kind === "words" ? "words" : column.kind === "name" ? "name" : "", cell.text);
  text.dir = column.kind === "figure" ? "ltr" : "auto";
  td.append(text);
  if (cell.tags?.length) {
    const tags = made("div", "tags");
    tags.append(...cell.tags.map((tag) => made("span", `tag ${tag.tone}`, tag.text)));
    td.append(tags);
  }
  if (cell.share !== undefined) td.append(bar(cell));
  if (cell.sub) td.append(made("div", "sub", cell.sub));
  return td;
}

function reachable(root) {
  for (const box of root.querySelectorAll(".words")) {
    if (box.scrollHeight > box.clientHeight + 1) box.tabIndex = 0;
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".scroll");
  const shape = JSON.stringify([data.columns, data.sort]);
  const order = root.shape === shape ? root.order : data.sort;
  root.shape = shape;
  root.setAttribute("aria-label", data.label);
  const draw = (sort) => {
    root.order = sort;
    const table = made("table", data.stack ? "stack spread" : "");
    table.setAttribute("aria-label", data.label);
    const head = table.createTHead().insertRow();
    data.columns.forEach((column, at) => {
      const th = made("th", column.kind === "figure" ? "figure" : "");
      th.scope = "col";
      if (!sort) th.textContent = column.title;
      else {
        const button = made("button", "", column.title);
        button.type = "button";
        button.title = data.hint;
        const here = sort[0] === at;
        if (here) th.setAttribute("aria-sort", sort[1] ? "descending" : "ascending");
        const arrow = made("span", "arrow", here ? (sort[1] ? "\u2193" : "\u2191") : "\u2195");
        arrow.setAttribute("aria-hidden", "true");
        button.append(arrow);
        button.onclick = () => {
          draw([at, here ? !sort[1] : column.kind === "figure" && column.high]);
          root.querySelectorAll("th button")[at].focus();
        };
        th.append(button);
      }
      head.append(th);
    });
    const rows = [...data.rows];
    if (sort) {
      const [at, down] = sort;
      const key = (row) => row[at].value ?? row[at].text;
      rows.sort((one, two) => {
        const [a, b] = [key(one), key(two)];
        if ((a === "") !== (b === "")) return a === "" ? 1 : -1;
        const less = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
        return down ? -less : less;
      });
    }
    const body = table.createTBody();
    for (const row of rows) body.insertRow().append(...row.map((cell, at) => drawn(cell, data.columns[at])));
    root.replaceChildren(table);
    reachable(root);
  };
  draw(order);
}
