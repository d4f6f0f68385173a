// A drop zone that streams one file to PUT api/uploads/<name> and triggers "done" with the id that it got.
// `data`: words (in the user's language), accept (endings), limit (bytes), lang. It is called again whenever data changes;
// what is on its way stays.
const boxes = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const box = boxes.get(parentElement) ?? build(parentElement);
  boxes.set(parentElement, box);
  Object.assign(box, { data, setTriggerValue });
  box.draw();
  return () => box.xhr?.abort();
}

function build(root) {
  const find = (selector) => root.querySelector(selector);
  const box = { state: "idle", file: null, xhr: null, failure: "", sent: 0, speed: 0 };
  const input = find("input");

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const number = (value, digits) =>
    new Intl.NumberFormat(box.data.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  const size = (bytes) => {
    const unit = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
    return `${number(bytes / 1000 ** unit, unit ? 1 : 0)} ${["B", "kB", "MB", "GB", "TB"][unit]}`;
  };
  const figures = () => {
    const share = box.file.size ? box.sent / box.file.size : 1;
    const percent = new Intl.NumberFormat(box.data.lang, { style: "percent" }).format(Math.floor(share * 100) / 100);
    const parts = [percent, size(box.file.size)];
    if (box.speed) parts.push(`${size(box.speed)}/s`);
    return parts.join(" · ");
  };

  box.draw = () => {
    const { words } = box.data;
    const sending = box.state === "sending";
    const arrived = box.state === "arrived";
    const name = box.file?.name ?? "";
    find(".box").setAttribute("aria-label", words.label);
    find(".label").textContent = words.label;
    find(".title").textContent = sending ? name : arrived ? fill(words.arrived, { name }) : words.drop;
    find(".small").textContent = sending ? figures() : arrived ? size(box.file.size) : words.limits;
    find("progress").hidden = !sending;
    find("progress").setAttribute("aria-label", fill(words.sending, { name }));
    find("progress").value = sending && box.file.size ? box.sent / box.file.size : 0;
    find(".choose").hidden = sending;
    find(".choose").textContent = arrived ? words.another : words.choose;
    find(".cancel").hidden = !sending;
    find(".cancel").textContent = words.cancel;
    find(".failed").hidden = !box.failure;
    if (find(".failed").textContent !== box.failure) find(".failed").textContent = box.failure;
    const said = sending ? fill(words.sending, { name }) : arrived ? fill(words.arrived, { name }) : "";
    if (find(".unseen").textContent !== said) find(".unseen").textContent = said;
    input.accept = box.data.accept.join(",");
  };
  const turn = (state, failure = "") => {
    Object.assign(box, { state, failure });
    box.draw();
  };

  const reason = (file) => {
    const { words, accept, limit } = box.data;
    const values = { name: file.name, kinds: accept.join(", ") };
    if (accept.length && !accept.some((ending) => file.name.toLowerCase().endsWith(ending))) return fill(words.kind, values);
    return file.size > limit ? words.too_large : "";
  };
  const refused = (xhr) => {
    try {
      const [{ code, args }] = JSON.parse(xhr.responseText).problems;
      return fill(box.data.words.problems[code] ?? box.data.words.broken, args);
    } catch {
      return box.data.words.broken;
    }
  };
  const send = (file) => {
    const failure = reason(file);
    if (failure) return turn("idle", failure);
    const xhr = new XMLHttpRequest();
    const begun = performance.now();
    Object.assign(box, { file, xhr, sent: 0, speed: 0 });
    xhr.open("PUT", `api/uploads/${encodeURIComponent(file.name)}`);
    xhr.setRequestHeader("X-SLMOPS-Upload", "1");
    xhr.upload.onprogress = ({ loaded }) => {
      const seconds = (performance.now() - begun) / 1000;
      Object.assign(box, { sent: loaded, speed: seconds > 0.5 ? loaded / seconds : 0 });
      box.draw();
    };
    xhr.onload = () => {
      if (xhr.status !== 201) return turn("idle", refused(xhr));
      turn("arrived");
      box.setTriggerValue("done", JSON.parse(xhr.responseText).id);
    };
    xhr.onerror = () => turn("idle", box.data.words.broken);
    xhr.onabort = () => turn("idle");
    xhr.onloadend = () => (box.xhr = null);
    turn("sending");
    find(".cancel").focus();
    xhr.send(file);
  };

  find(".choose").onclick = () => input.click();
  find(".cancel").onclick = () => {
    box.xhr?.abort();
    find(".choose").focus();
  };
  input.onchange = () => {
    if (input.files.length) send(input.files[0]);
    input.value = "";
  };
  const zone = find(".zone");
  zone.ondragover = (event) => {
    event.preventDefault();
    zone.classList.add("over");
  };
  zone.ondragleave = () => zone.classList.remove("over");
  zone.ondrop = (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (box.state === "sending") return;
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) turn("idle", box.data.words.folder);
    else if (items.length > 1) turn("idle", box.data.words.several);
    else if (items.length) send(event.dataTransfer.files[0]);
  };
  return box;
}
