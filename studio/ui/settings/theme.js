const key = (path) => `stActiveTheme-${path}-v2`;

function current() {
  try {
    return JSON.parse(localStorage.getItem(key(location.pathname))) ?? "System";
  } catch {
    return "System";
  }
}

export default function ({ data, parentElement }) {
  const group = parentElement.querySelector(".choices");
  parentElement.querySelector(".title").textContent = data.label;
  group.setAttribute("aria-label", data.label);
  const chosen = current();
  const boxes = data.choices.map(([value, text]) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "theme";
    input.value = value;
    input.checked = value === chosen;
    input.onchange = () => {
      for (const path of data.paths) localStorage.setItem(key(path), JSON.stringify(value));
      location.reload();
    };
    label.append(input, text);
    return label;
  });
  group.replaceChildren(...boxes);
}
