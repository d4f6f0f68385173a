"""Words that Streamlit writes itself, always in English: its menu, its page for a wrong address, names for screen readers.

They are exchanged in the browser, as they appear. `tests/e2e/test_words.py` finds the ones that this table lacks."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from studio.ui.shared.i18n import _, lang

WORDS = (
    "About",
    "Alert: {text}",
    "App pages",
    "Button action menu",
    "Chat message from {name}",
    "Choose an option",
    "Choose options",
    "Clear all",
    "Clear cache",
    "Clear value",
    "Close",
    "Close fullscreen",
    "Close fullscreen: {name}",
    "Collapse sidebar",
    "Copied",
    "Copy to clipboard",
    "Copy version to clipboard",
    "Dark",
    "Decrement",
    "Download as PNG",
    "Download as PNG: {name}",
    "Expand sidebar",
    "Fullscreen",
    "Fullscreen: {name}",
    "Get help",
    "Help",
    "Help for {name}",
    "Hide password",
    "Increment",
    "Light",
    "Link to heading",
    "Made with Streamlit v",
    "Main menu",
    "Navigate to home page",
    "Next page",
    "Notifications",
    "Open",
    "Page {n}",
    "Pagination",
    "Previous page",
    "Print",
    "Record screen",
    "Remove {name}",
    "Report a bug",
    "Rerun",
    "Running...",
    "Selected values",
    "Send message",
    "Settings",
    "Show password",
    "Sidebar",
    "Skip to main content",
    "Stop script",
    "System",
    "Theme",
)
"""Names, which are exchanged wherever they are, and what Streamlit's menu says."""
SENTENCES = (
    "Add: {text}",
    "Connection error",
    "No results",
    "Page not found",
    "Select all",
    "The page that you have requested does not seem to exist. Running the app's main page.",
    "You have requested page /{name}, but no corresponding file was found in the app's pages/ directory."
    " Running the app's main page.",
)
"""What stands in its dialogs and lists, beside words of people, which stay."""
_COMPONENT = st.components.v2.component(
    "studio_framework_words", html="<i hidden></i>", js=Path(__file__).with_name("framework.js").read_text("utf-8")
)


def framework_words() -> None:
    """Draw it once on every page."""
    known = {"names": WORDS, "texts": SENTENCES} if lang() != "en" else {}
    data = {kind: {text: _(text) for text in texts} for kind, texts in known.items()}
    _COMPONENT(key="framework_words", data=data, height=0)
