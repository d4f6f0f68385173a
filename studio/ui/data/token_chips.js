const made = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

function chip(piece, words) {
  const element = made("span", `chip${piece.loss ? " loss" : ""}${piece.control ? " control" : ""}`);
  const kinds = [words.id.replace("{id}", piece.id), piece.loss ? words.loss : words.read];
  if (piece.control) kinds.splice(1, 0, words.control);
  element.title = kinds.join(" \u00b7 ");
  for (const part of piece.text.split(/(\n|\t)/)) {
    if (part === "\n" || part === "\t") {
      element.append(made("span", "space", part === "\n" ? "\u21b5" : "\u21e5"), part);
    } else if (part) element.append(part);
  }
  return element;
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".tokens");
  const words = data.words;
  const legend = made("div", "legend");
  for (const [name, text] of [["loss", words.loss], ["", words.read], ["control", words.control]]) {
    const item = made("span");
    item.append(made("span", `chip ${name}`, "abc"), text);
    legend.append(item);
  }
  const pieces = made("div", "pieces");
  pieces.tabIndex = 0;
  pieces.setAttribute("role", "region");
  pieces.setAttribute("aria-label", words.label);
  pieces.append(...data.pieces.map((piece) => chip(piece, words)));
  root.replaceChildren(legend, pieces);
}
