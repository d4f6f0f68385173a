"""Compare in a real browser: the quick baseline stands among the models, in the table, as a line and in words."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser_session import OpenBrowser, wait_until_idle
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-GB", ["Quick baseline", "Quick baseline: 78.0%", "TF-IDF classifier", "no better than a quick baseline"]),
        (
            "es-ES",
            [
                "Referencia rápida",
                "Referencia rápida: 78,0\u00a0%",
                "clasificador TF-IDF",
                "no mejor que una referencia rápida",
            ],
        ),
    ],
)
def test_the_quick_baseline_stands_among_the_models(
    filled: WebProcess, open_browser: OpenBrowser, locale: str, said: list[str]
) -> None:
    """`alumno-int4` has 75 % right, the baseline 78 %."""
    browser_session = open_browser(filled.url, locale=locale)
    browser_session.go("/compare")
    page = browser_session.page
    title, line, method, words = said
    row = page.get_by_role("row").filter(has_text=title).first
    expect(row).to_contain_text(method, timeout=30_000)
    expect(row).to_contain_text(line.split(": ")[1])
    wait_until_idle(page)
    expect(page.locator(".legendtext").filter(has_text=line).first).to_be_visible()
    expect(page.locator(".scatterlayer path.js-line[style*=dasharray]").first).to_be_attached()
    expect(page.get_by_text(words).first).to_be_visible()
