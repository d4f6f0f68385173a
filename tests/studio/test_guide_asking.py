"""The question that a file asks on Home before it can be read, and the ways out of it."""

from __future__ import annotations

from pathlib import Path

from studio.ui.guide.state import DRAFT
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words
from tests.studio.test_guide import open_with, train


def chat(folder: Path) -> Path:
    file = folder / "chat.txt"
    said = [(f"can you deliver {n} tulips?", f"Sure, {n} tulips on Monday.") for n in range(30)]
    lines = [
        f"[{1 + n:02d}/04/2026, 09:0{at}:00] {('Pablo', 'Flower Corner')[at]}: {text}"
        for n, pair in enumerate(said)
        for at, text in enumerate(pair)
    ]
    file.write_text("\n".join(lines), "utf-8")
    return file


def test_a_chat_asks_who_answers_and_goes_on_with_the_answer(
    show: Show, builder: StudioBuilder, tmp_path: Path
) -> None:
    builder.model("small")
    file, project = chat(tmp_path), builder.studio.chosen_project().id
    builder.studio.save_draft(project, DRAFT, {"goal": "answer", "source": {"source": str(file)}})
    builder.studio.inspect({"source": str(file), "records": "Flower Corner"})
    at = show()
    assert "Who answers?" in words(at) and not at.error and "guide_train" not in {each.key for each in at.button}
    (shop,) = [button for button in at.button if button.label == "Flower Corner"]
    shop.click().run()
    assert not train(at).disabled and "Sure, 0 tulips on Monday." in words(at)
    at.button(key="guide_ask_again").click().run()
    assert "Who answers?" in words(at)
    at.button(key="guide_over").click().run()
    assert "Who answers?" not in words(at) and builder.studio.draft(project, DRAFT)["source"] == {}


def test_all_reading_options_open_the_form_with_the_file_and_what_was_chosen(
    show: Show, builder: StudioBuilder
) -> None:
    studio = builder.studio
    folder = studio.settings.home / "uploads" / "0123456789abcdef"
    folder.mkdir(parents=True)
    file = chat(folder)
    at = open_with(show, builder, file, source={"source": str(file), "records": "Flower Corner"})
    at.button(key="guide_options").click().run()
    form = f"form.{studio.chosen_project().id}.dataset."
    assert at.selectbox(key=f"{form}source").value == str(file)
    assert at.text_input(key=f"{form}records").value == "Flower Corner"
