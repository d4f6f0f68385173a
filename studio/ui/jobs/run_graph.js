const HEIGHT = 42;
const GAP_Y = 10;

const made = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".graph");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.label);
  const columns = Math.max(...data.nodes.map((node) => node.column)) + 1;
  const tall = Array.from({ length: columns }, (_, at) => data.nodes.filter((node) => node.column === at).length);
  const rows = Math.max(...tall);
  const draw = () => {
    const wide = root.clientWidth || 900;
    const gap = 24;
    const width = Math.min(210, Math.max(106, (wide - 6 - gap * (columns - 1)) / columns));
    const places = {};
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const full = [columns * (width + gap) - gap + 4, rows * (HEIGHT + GAP_Y) - GAP_Y + 4];
    svg.setAttribute("width", full[0]);
    svg.setAttribute("height", full[1]);
    svg.setAttribute("aria-hidden", "true");
    root.style.height = `${Math.min(full[1] + 14, 640)}px`;
    const boxes = data.nodes.map((node) => {
      const x = 2 + node.column * (width + gap);
      const y = 2 + (node.row + (rows - tall[node.column]) / 2) * (HEIGHT + GAP_Y);
      places[node.stage_id] = [x, y];
      const box = made("button", node.tone);
      box.type = "button";
      box.style.cssText = `left:${x}px;top:${y}px;width:${width}px;height:${HEIGHT}px`;
      box.setAttribute("aria-label", node.said);
      box.title = `${node.title} · ${node.sub}`;
      box.append(made("span", "title", node.title), made("span", "sub", node.sub));
      box.onclick = () => {
        setTriggerValue("stage", node.stage_id);
        document.querySelector(`.st-key-stage_${CSS.escape(node.stage_id)}`)?.scrollIntoView({ block: "center" });
      };
      return box;
    });
    for (const node of data.nodes) {
      const [x, y] = places[node.stage_id];
      for (const before of node.after) {
        const [left, top] = places[before];
        const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
        const [x1, y1, y2] = [left + width, top + HEIGHT / 2, y + HEIGHT / 2];
        line.setAttribute("d", `M${x1} ${y1} C${x1 + gap * 0.6} ${y1} ${x - gap * 0.6} ${y2} ${x} ${y2}`);
        svg.append(line);
      }
    }
    root.replaceChildren(svg, ...boxes);
  };
  draw();
  root.watch?.disconnect();
  let seen = root.clientWidth;
  root.watch = new ResizeObserver(() => {
    if (root.clientWidth !== seen) {
      seen = root.clientWidth;
      draw();
    }
  });
  root.watch.observe(root);
  return () => root.watch.disconnect();
}
