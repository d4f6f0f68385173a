const ON = "slmops_notify";
const read = () => { try { return localStorage.getItem(ON) === "1"; } catch { return false; } };

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".switch");
  const draw = () => {
    root.replaceChildren();
    const able = "Notification" in window && window.isSecureContext;
    const denied = able && Notification.permission === "denied";
    if (!able || denied) {
      const said = document.createElement("p");
      said.textContent = denied ? data.denied : data.missing;
      root.append(said);
      return;
    }
    const on = read() && Notification.permission === "granted";
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? data.off : data.on;
    button.onclick = async () => {
      const granted = on || (await Notification.requestPermission()) === "granted";
      localStorage.setItem(ON, !on && granted ? "1" : "0");
      draw();
    };
    root.append(button);
  };
  draw();
}
