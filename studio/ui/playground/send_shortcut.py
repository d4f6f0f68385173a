"""What Streamlit's message box lacks: Ctrl+Enter sends as Enter does, and its button has a name in the user's language."""

from __future__ import annotations

import streamlit as st

from studio.ui.shared.i18n import _

_JS = """
export default function ({ data }) {
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
    document.removeEventListener("focusin", name);
    document.removeEventListener("keydown", send);
  };
}
"""
_KEYS = st.components.v2.component("studio_chat_keys", js=_JS)


def send_shortcut() -> None:
    """Draws nothing. Call it after the message box."""
    _KEYS(key="pg_keys", data={"send": _("Send")})
