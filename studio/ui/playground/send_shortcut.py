"""What Streamlit's message box lacks: Ctrl+Enter sends as Enter does, its button has a name in the user's language, and a page
without a conversation begins at its title, not at its end."""

from __future__ import annotations

import streamlit as st

from studio.ui.shared.i18n import _

_JS = """
export default function ({ data }) {
  const place = () => document.querySelector("[data-testid=stAppScrollToBottomContainer]");
  const hands = ["wheel", "touchstart", "pointerdown", "keydown"];
  const hold = () => {
    const scrolled = place();
    if (data.empty && scrolled && !scrolled.touched) scrolled.scrollTop = 0;
  };
  const rest = () => {
    document.removeEventListener("scroll", hold, true);
    if (place()) place().touched = true;
  };
  hold();
  document.addEventListener("scroll", hold, { capture: true, passive: true });
  for (const each of hands) document.addEventListener(each, rest, { passive: true });
  const name = () => {
    document.querySelector("[data-testid=stChatInputSubmitButton]")?.setAttribute("aria-label", data.send);
  };
  const send = (event) => {
    const box = event.target.closest?.("[data-testid=stChatInputTextArea]");
    if (!box || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  };
  name();
  document.addEventListener("focusin", name);
  document.addEventListener("keydown", send);
  return () => {
    document.removeEventListener("scroll", hold, true);
    for (const each of hands) document.removeEventListener(each, rest);
    document.removeEventListener("focusin", name);
    document.removeEventListener("keydown", send);
  };
}
"""
_KEYS = st.components.v2.component("studio_chat_keys", js=_JS)


def send_shortcut(empty: str) -> None:
    """Draws nothing. Call it after the message box. `empty`: what is chosen while nothing was said yet, else ""."""
    _KEYS(key="pg_keys", data={"send": _("Send"), "empty": empty})
