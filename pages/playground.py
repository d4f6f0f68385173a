"""One or two models answer the same message side by side: `/playground`, `?models=<id>,<id>` chooses them."""

from studio.ui.playground.page import playground_page

playground_page()
