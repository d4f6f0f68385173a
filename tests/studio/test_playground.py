"""The page Playground in every state and both languages, with a host of models that the test plays."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, Kind, State
from backend.data.dataset import Message, Row, Template
from backend.inference.constraint import Constraint
from backend.inference.protocol import Sampling
from backend.serve.client import Piece, ServedModel
from studio.ui.forms.pickers import OTHERS
from studio.ui.playground import chats as kept
from studio.ui.playground import shared, turns
from studio.ui.playground.chats import Chat, ChatSettings, ChatStore
from studio.ui.playground.lineage import ancestors, different, proposed
from studio.ui.playground.model_loader import ModelLoader
from studio.ui.shared.formatting import escape_markdown
from tests.helpers import until
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, project_switch, words

BUSY: dict[str, Any] = {
    "model": "m",
    "need": "2.1 GB",
    "missing": "1.2 GB",
    "job": "r-train-finetune",
    "stage": "finetune",
}
LABEL = Template(system="Answer with the intent.", answer="label", labels=["HassTurnOn"])


class Host:
    """What `ServeClient` does, without processes. A test changes its fields."""

    def __init__(self) -> None:
        self.alive = True
        self.state: dict[str, str] = {}
        self.refusal: StudioError | None = None
        self.words = ["Hello", " there"]
        self.pause = threading.Event()
        self.pause.set()
        self.asked: list[tuple[str, list[Message], Sampling]] = []
        self.forced: list[str] = []
        self.closed = 0
        self.chosen: dict[str, list[str]] = {}
        self.evictions = 0

    def models(self) -> list[ServedModel]:
        if not self.alive:
            raise StudioError("serve.no_host")
        why = Problem(code="serve.model_failed", args={"model": "m", "reason": "no space"})
        return [
            ServedModel(
                id=model,
                name=f"the {model}",
                state=state,
                memory_bytes=312_000_000,
                idle_seconds=4.0,
                error=why if state == "failed" else None,
            )
            for model, state in self.state.items()
        ]

    def choose(self, page: str, models: list[str]) -> None:
        self.chosen[page] = models

    def load(self, model: str, force: bool = False) -> ServedModel:
        if force:
            self.forced.append(model)
        elif self.refusal and model not in self.state:
            raise self.refusal
        if self.evictions:
            self.evictions -= 1
        else:
            self.state.setdefault(model, "ready")
        return ServedModel(id=model, name=f"the {model}", state="loading")

    def unload(self, model: str) -> None:
        self.state.pop(model, None)

    def chat(self, model: str, messages: list[Message], sampling: Sampling) -> Iterator[Piece]:
        self.asked.append((model, messages, sampling))
        try:
            for word in self.words:
                yield Piece(text=word)
                while not self.pause.wait(0.01):
                    yield Piece()
            yield Piece(
                done=True,
                finish="stop",
                prompt_tokens=9,
                completion_tokens=len(self.words),
                ttft_ms=41.2,
                decode_tokens_per_s=96.4,
            )
        finally:
            self.closed += 1


@pytest.fixture
def host(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr(shared, "ServeClient", lambda _settings: made)
    return made


@pytest.fixture
def chain(builder: StudioBuilder) -> list[ArtifactView]:
    """base -> teacher (adapter); the student learned the teacher's answers; INT4 of the student."""
    data = builder.dataset()
    base = builder.model("base")
    teacher = builder.model("teacher", Kind.ADAPTER, parents=[base.id, data.id], facts={"template": LABEL.model_dump()})
    answers = builder.artifact(Kind.DATASET, "answers", {"rows": {"train": 20}}, parents=[data.id, teacher.id])
    student = builder.model("student", parents=[base.id, answers.id], facts={"template": LABEL.model_dump()})
    int4 = builder.model("student-int4", Kind.ONNX, parents=[student.id], facts={"template": LABEL.model_dump()})
    return [base, teacher, student, int4]


def said(at: AppTest) -> str:
    """Everything on the page, plain texts included."""
    return "\n".join([words(at), *(text.value for text in at.text), *(toggle.label for toggle in at.toggle)])


def send(at: AppTest, text: str) -> AppTest:
    """Ask, wait for the answers, look again."""
    at.chat_input(key="pg_input").set_value(text).run()
    until(lambda: not chat_of(at).busy)
    return at.run()


def chat_of(at: AppTest) -> Chat:
    found = shared.chats().find(at.query_params["chat"])
    assert found
    return found


def setup(**values: Any) -> ChatSettings:
    return ChatSettings(Sampling(**values))


def test_answers_keep_to_the_format_that_is_chosen(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = show("playground")
    at.selectbox(key="answer_form").set_value("json_schema").run()
    at.text_area(key="answer_form_text").set_value('{"type": "fish"}')
    at.button(key="answer_form_apply").click().run()
    assert len(at.error) == 1 and at.error[0].value.startswith("No answer can have this form")
    at.selectbox(key="answer_form").set_value("labels").run()
    at.text_area(key="answer_form_text").set_value(" red\n\nblue ")
    at.button(key="answer_form_apply").click().run()
    assert not at.error
    send(at, "Hello")
    assert {asked[2].constraint for asked in host.asked} == {Constraint(kind="labels", value=("red", "blue"))}


# which models


@pytest.mark.parametrize(("language", "none"), [("en", "No models to chat with yet"), ("es", "Aún no hay modelos")])
def test_no_models_says_what_to_do(show: Show, host: Host, language: str, none: str) -> None:
    at = show("playground", language)
    assert none in words(at)
    assert not at.chat_input


def test_begins_with_the_newest_int4_and_its_teacher(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = show("playground")
    assert [box.value for box in at.selectbox if str(box.key).startswith("pg_")] == [
        "onnx-student-int4",
        "adapter-teacher",
    ]
    assert at.query_params["models"] == "onnx-student-int4,adapter-teacher"
    assert host.state == {}


def test_a_tuned_model_stands_beside_its_base(show: Show, host: Host, builder: StudioBuilder) -> None:
    base = builder.model("base")
    builder.model("int4", Kind.ONNX, parents=[builder.model("tuned", Kind.ADAPTER, parents=[base.id]).id])
    show("playground")
    assert [view.name for view in ancestors("onnx-int4")] == ["tuned", "base"]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("model-base", ["model-base", ""]),
        ("model-base,adapter-teacher", ["model-base", "adapter-teacher"]),
        ("gone,model-base,model-base", ["model-base", ""]),
        ("gone", ["onnx-student-int4", "adapter-teacher"]),
    ],
)
def test_an_address_chooses_models(
    show: Show, host: Host, chain: list[ArtifactView], asked: str, shown: list[str]
) -> None:
    at = show("playground", models=asked)
    assert [box.value for box in at.selectbox if str(box.key).startswith("pg_")] == shown


def test_a_model_that_the_list_of_everything_lacks_yet_has_no_ancestors(
    builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = builder.model("base")
    new = builder.model("new", Kind.ADAPTER, parents=[base.id])
    monkeypatch.setattr("studio.ui.shared.api_cache.artifacts", lambda kinds=(): [new] if kinds else [base])
    assert ancestors(new.id) == []


def test_models_of_other_projects_are_offered_when_asked_for(show: Show, host: Host, builder: StudioBuilder) -> None:
    builder.model("mine")
    builder.model("foreign", project="other", job="j1")
    at = show("playground")
    assert at.selectbox(key="pg_model_0").value == "model-mine"
    assert not any("foreign" in words for words in at.selectbox(key="pg_model_0").options)
    at.selectbox(key="pg_model_0").set_value(OTHERS).run()
    assert at.selectbox(key="pg_model_0").value == "model-mine", "nothing is chosen by that"
    assert "foreign" in at.selectbox(key="pg_model_0").options[-1]
    assert "other" in at.selectbox(key="pg_model_0").options[-1]


# asking


def test_both_models_get_the_same_message_in_their_own_words(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = send(show("playground", models="onnx-student-int4,model-base"), "turn it on")
    asked = {model: messages for model, messages, _sampling in host.asked}
    user = {"role": "user", "content": "turn it on"}
    assert asked == {
        "onnx-student-int4": [{"role": "system", "content": "Answer with the intent."}, user],
        "model-base": [user],
    }
    assert [text.value for text in at.text if text.value == "Hello there"] == ["Hello there"] * 2
    assert "2 tokens · 96.4 tokens/s · first token after 41 ms · finished" in words(at)


def test_figures_in_spanish(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = send(show("playground"), "hola")
    spanish = show("playground", "es", chat=at.query_params["chat"])
    assert "2 tokens · 96,4 tokens/s · primer token a los 41 ms · terminada" in words(spanish)


def test_earlier_messages_go_along_unless_the_model_learned_single_questions(
    show: Show, host: Host, chain: list[ArtifactView]
) -> None:
    for models, roles in (("model-base", ["user", "assistant", "user"]), ("onnx-student-int4", ["system", "user"])):
        at = show("playground", models=models)
        send(send(at, "one"), "two")
        assert [message["role"] for message in host.asked[-1][1]] == roles
        assert host.asked[-1][1][-1]["content"] == "two"


def test_one_system_prompt_for_all(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = show("playground")
    assert "Answer with the intent." in said(at)
    at.segmented_control(key="pg_mode").set_value("common").run()
    assert at.text_area(key="pg_system").value == "Answer with the intent."
    at.text_area(key="pg_system").set_value("Be brief.")
    at.button(key="pg_system_apply").click().run()
    send(at, "hi")
    assert {messages[0]["content"] for _model, messages, _sampling in host.asked} == {"Be brief."}


def test_sampling_and_the_next_seed(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = show("playground", models="model-base")
    at.slider(key="pg_temperature").set_value(0.7)
    at.slider(key="pg_longest").set_value(64)
    send(at, "hi")
    at.button(key="pg_regenerate").click().run()
    until(lambda: len(host.asked) == 2)
    first, second = (sampling for _model, _messages, sampling in host.asked)
    assert (first.temperature, first.max_new_tokens, first.seed, second.seed) == (0.7, 64, 0, 1)
    assert len(chat_of(at).turns) == 1


def test_examples_are_of_different_texts_and_answers() -> None:
    rows = [("Hi!", "x"), ("hi! ", "x"), ("How?", "x"), ("Why?", "y"), ("Who?", None)]
    found = different(Row(id=str(at), input=text, output=answer) for at, (text, answer) in enumerate(rows))
    assert [row.input for row in found] == ["Hi!", "Why?", "Who?", "How?"]


def test_an_example_shows_what_is_expected(
    show: Show, host: Host, builder: StudioBuilder, chain: list[ArtifactView]
) -> None:
    at = show("playground", models="onnx-student-int4")
    validation = builder.studio.rows("dataset-commands", "validation", 0, 20)
    held_out = builder.studio.rows("dataset-commands", "test", 0, 20)
    offered = at.pills(key="pg_example").options
    assert len(offered) == 4
    assert set(offered) <= {escape_markdown(row.input) for row in validation}
    assert not set(offered) & {escape_markdown(row.input) for row in held_out}
    host.words = [validation[0].output or ""]
    at.pills(key="pg_example").select(offered[0]).run()
    until(lambda: not chat_of(at).busy)
    at.run()
    assert f"Expected: {validation[0].output}" in words(at)
    assert "As expected" in words(at)
    assert not at.pills


# while it answers


def test_stop_keeps_what_was_said(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    host.pause.clear()
    at = show("playground")
    at.chat_input(key="pg_input").set_value("hi").run()
    until(lambda: all(answer.text for answer in chat_of(at).turns[0].answers.values()))
    at.run()
    at.button(key="pg_stop").click().run()
    until(lambda: host.closed == 2)
    host.pause.set()
    at.run()
    assert "Hello" in said(at) and "Hello there" not in said(at)
    assert "about 1 token · stopped" in words(at)
    assert at.button(key="pg_regenerate")


def test_a_new_message_stops_the_old_answers(host: Any) -> None:
    chat = Chat("p", {"a": Template()}, ModelLoader(host))
    host.pause.clear()
    chat.say("one", setup())
    until(lambda: chat.turns[0].answers["a"].text)
    chat.say("two", setup())
    until(lambda: host.closed == 1)
    host.pause.set()
    until(lambda: not chat.busy)
    assert [turn.answers["a"].text for turn in chat.turns] == ["Hello", "Hello there"]


def test_threads_end_with_their_answers(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MAX_CHATS", 3)
    before = threading.active_count()
    host.pause.clear()
    all_ = ChatStore()
    made = [all_.add(Chat("p", {"a": Template()}, ModelLoader(host))) for _ in range(3)]
    for chat in made:
        chat.say("hi", setup())
    until(lambda: len(host.asked) == 3)
    all_.add(Chat("p", {}, ModelLoader(host)))
    until(lambda: host.closed == 1)
    assert all_.find(made[0].id) is None and all_.of("p") == [made[2], made[1]]
    host.pause.set()
    until(lambda: threading.active_count() <= before)


# a reload, another tab, another project


def test_a_reload_and_a_second_tab_show_the_same(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    first = send(show("playground"), "where am I")
    address = {key: first.query_params[key] for key in ("models", "chat")}
    second = show("playground", **address)
    assert "where am I" in said(second) and "Hello there" in said(second)
    send(second, "and now")
    assert "and now" in said(first.run())


def test_a_reload_keeps_how_it_was_asked(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    first = show("playground")
    first.slider(key="pg_temperature").set_value(1.2)
    send(first, "hi")
    again = show("playground", chat=first.query_params["chat"])
    assert again.slider(key="pg_temperature").value == 1.2


def test_the_menu_leads_back_to_the_conversation(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = send(show("playground"), "remember me")
    at.switch_page("../pages/models.py").run()
    at.query_params.clear()
    at.switch_page("../pages/playground.py").run()
    assert "remember me" in said(at)


@pytest.mark.parametrize(("language", "gone"), [("en", "no longer available"), ("es", "ya no está disponible")])
def test_a_conversation_that_is_gone_says_so(
    show: Show, host: Host, chain: list[ArtifactView], language: str, gone: str
) -> None:
    assert gone in words(show("playground", language, models="model-base", chat="0123"))


def test_a_new_conversation_forgets_the_one_that_is_gone(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = send(show("playground", models="model-base", chat="0123"), "hi")
    assert "no longer available" not in words(at)
    assert chat_of(at).turns[0].input == "hi"


def test_another_model_begins_anew_and_the_old_conversation_stays(
    show: Show, host: Host, chain: list[ArtifactView]
) -> None:
    at = send(show("playground"), "first pair")
    old = chat_of(at)
    at.selectbox(key="pg_model_1").set_value("").run()
    assert "first pair" not in said(at)
    assert at.query_params["models"] == "onnx-student-int4"
    assert shared.chats().find(old.id) is old


def test_clear_forgets_in_every_tab(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = send(show("playground"), "secret")
    other = show("playground", chat=at.query_params["chat"])
    at.button(key="pg_clear").click().run()
    assert "secret" not in said(at) and "secret" not in said(other.run())
    assert at.pills(key="pg_example")


def test_each_project_has_its_own_place(
    show: Show, host: Host, builder: StudioBuilder, chain: list[ArtifactView]
) -> None:
    other = builder.store.project("other")
    builder.model("elsewhere", project="other")
    at = send(show("playground"), "here")
    project_switch(at).set_value(other).run()
    assert "here" not in said(at).split("\n")
    assert at.selectbox(key="pg_model_0").value == "model-elsewhere"


# models in memory


@pytest.mark.parametrize(
    ("state", "english", "spanish"),
    [
        (None, "Not loaded", "No cargado"),
        ("loading", "Loading", "Cargando"),
        ("ready", "Ready\n312.0 MB", "Listo\n312,0\u00a0MB"),
        ("failed", "The process of “m” ended\\: no space", "El proceso de «m» ha terminado\\: no space"),
    ],
)
def test_states_of_a_model(
    show: Show, host: Host, chain: list[ArtifactView], state: str | None, english: str, spanish: str
) -> None:
    host.state = {"model-base": state} if state else {}
    for language, sentence in (("en", english), ("es", spanish)):
        shown = words(show("playground", language, models="model-base"))
        assert all(part in shown for part in sentence.split("\n"))


def test_load_and_unload(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = show("playground", models="model-base")
    at.button(key="pg_load_model-base").click().run()
    until(lambda: host.state == {"model-base": "ready"})
    shared.served.clear()
    at.run().button(key="pg_unload_model-base").click().run()
    assert host.state == {}
    assert "Not loaded" in words(at)


def test_short_memory_names_the_training_and_can_be_overridden(
    show: Show, host: Host, builder: StudioBuilder, chain: list[ArtifactView]
) -> None:
    builder.run("train", ("finetune", State.RUNNING))
    host.refusal = StudioError("serve.memory_busy", **BUSY)
    at = send(show("playground", models="model-base"), "hi")
    assert "r-train-finetune" in at.warning[0].value
    assert "1.2 GB" in at.warning[0].value and "(Fine-tune)" in at.warning[0].value
    assert "Not asked yet: model not loaded." in words(at)
    assert "Show the run: Fine-tune" in [link.proto.label for link in at.get("page_link")]
    at.button(key="pg_force_model-base").click().run()
    until(lambda: chat_of(at).turns[0].answers["model-base"].end)
    assert host.forced == ["model-base"]
    assert "Hello there" in said(at.run())


def test_waiting_for_memory_loads_by_itself(
    show: Show, host: Host, chain: list[ArtifactView], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.ui.playground.model_loader.RETRY_SECONDS", 0.02)
    host.refusal = StudioError("serve.memory_busy", **BUSY)
    at = send(show("playground", models="model-base"), "hi")
    at.button(key="pg_wait_model-base").click().run()
    load = shared.loader().find("model-base")
    until(lambda: load and load.held)
    assert "Waiting" in at.run().info[0].value
    host.refusal = None
    until(lambda: chat_of(at).turns[0].answers["model-base"].end)
    assert "Hello there" in said(at.run())


def test_where_two_models_do_not_fit_the_other_can_be_unloaded(
    show: Show, host: Host, chain: list[ArtifactView]
) -> None:
    about = {"model": "base", "need": "9.1 GB", "missing": "2.0 GB", "others": "big", "unload": "model-big"}
    host.state = {"model-big": "ready"}
    host.refusal = StudioError("serve.memory_models", **about)
    at = send(show("playground", models="model-base"), "hi")
    assert "big" in at.warning[0].value and "model-big" not in words(at)
    spanish = show("playground", "es", chat=at.query_params["chat"])
    assert "Libera «big»" in spanish.warning[0].value
    for shown, label in ((spanish, "Liberar «big» de la memoria"), (at, "Unload “big”")):
        assert shown.button(key="pg_swap_model-base").label == label
    host.refusal = None
    at.button(key="pg_swap_model-base").click().run()
    until(lambda: chat_of(at).turns[0].answers["model-base"].end)
    assert host.state == {"model-base": "ready"}
    assert "Hello there" in said(at.run())


def test_the_chosen_models_are_told_to_the_host(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    at = show("playground", models="model-base,model-student")
    assert list(host.chosen.values()) == [["model-base", "model-student"]]
    at.selectbox(key="pg_model_1").set_value("adapter-teacher").run()
    assert list(host.chosen.values()) == [["model-base", "adapter-teacher"]]


def test_a_model_that_was_unloaded_while_it_loaded_is_loaded_anew(host: Any) -> None:
    host.evictions = 2
    load = ModelLoader(host).begin("a")
    until(lambda: load.ended)
    assert load.error is None and host.state == {"a": "ready"}
    host.state, host.evictions = {}, 99
    load = ModelLoader(host).begin("a")
    until(lambda: load.ended)
    assert load.error and load.error.code == "serve.unloaded" and "“the a”" in load.error.text()


def test_unload_is_not_undone_by_the_attempt_that_loads(host: Any) -> None:
    loads = ModelLoader(host)
    host.state = {"a": "loading"}
    load = loads.begin("a")
    loads.unload("a")
    until(lambda: load.ended)
    assert host.state == {} and load.error and load.error.code == "serve.unloaded"


def test_waiting_can_be_given_up(host: Any) -> None:
    loads = ModelLoader(host)
    host.refusal = StudioError("serve.memory_busy", **BUSY)
    load = loads.begin("a", patient=True)
    until(lambda: load.held)
    load.stop()
    until(lambda: load.ended)
    assert load.error and load.error.code == "serve.memory_busy"
    assert loads.begin("a") is not load


@pytest.mark.parametrize(("language", "title"), [("en", "No model can answer now"), ("es", "Ahora ningún modelo")])
def test_without_a_host_a_card_says_how_to_start_it(
    show: Show, host: Host, chain: list[ArtifactView], language: str, title: str
) -> None:
    host.alive = False
    at = show("playground", language)
    assert title in words(at)
    assert at.code[0].value == "slmops studio"
    assert at.chat_input(key="pg_input").disabled
    host.alive = True
    shared.served.clear()
    assert title not in words(show("playground", language))


def test_a_failed_answer_says_why_and_is_asked_again(
    show: Show, host: Host, chain: list[ArtifactView], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> Iterator[Piece]:
        raise StudioError("serve.prompt_long", tokens=9000, context=8192)

    with monkeypatch.context() as patch:
        patch.setattr(host, "chat", fail)
        at = send(show("playground", models="model-base"), "hi")
    assert "9,000 tokens" in at.error[0].value
    assert "tiene 9000 tokens" in show("playground", "es", chat=at.query_params["chat"]).error[0].value
    at.button(key="pg_regenerate").click().run()
    until(lambda: chat_of(at).turns[0].answers["model-base"].end)
    assert not at.run().error


# words of others


def test_words_of_others_are_text(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    evil = "<img src=x onerror=alert(1)> **bold** [a](http://b) $x$ :red[no] 🙂"
    host.words = [evil]
    at = send(show("playground", models="model-base"), evil)
    assert [text.value for text in at.text].count(evil) == 2
    assert not any("<img" in mark.value for mark in at.markdown)


def test_right_to_left_reads_from_the_right(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    host.words = ["מה השעה?"]
    at = send(show("playground", models="model-base"), "ما الوقت؟")
    assert len([text for text in at.text if text.value.startswith("\u2067")]) == 2
    assert not turns.right_to_left("1. what time is it? ما")
    assert "".join(chat_of(at).turns[0].answers["model-base"].pieces) == "מה השעה?"


def test_long_words_are_cut_until_wanted(show: Show, host: Host, chain: list[ArtifactView]) -> None:
    host.words = ["x" * 100_000]
    at = send(show("playground", models="model-base"), "hi")
    assert max(len(text.value) for text in at.text) == turns.CUT + 1
    toggle = next(toggle for toggle in at.toggle if "100,000" in toggle.label)
    toggle.set_value(True).run()
    assert max(len(text.value) for text in at.text) == 100_000


def test_export_holds_everything(host: Any) -> None:
    chat = Chat("p", {"a": LABEL}, ModelLoader(host))
    chat.say("¿qué?", setup(temperature=0.3), "HassTurnOn")
    until(lambda: not chat.busy)
    turn = json.loads(json.dumps(chat.export()))["turns"][0]
    assert (turn["input"], turn["expected"]) == ("¿qué?", "HassTurnOn")
    answer = turn["answers"][0]
    assert answer["messages"][0] == {"role": "system", "content": LABEL.system}
    assert (answer["text"], answer["finish"], answer["sampling"]["temperature"]) == ("Hello there", "stop", 0.3)
    assert answer["figures"]["ttft_ms"] == 41.2


def test_proposed_without_int4_takes_what_there_is(show: Show, host: Host, builder: StudioBuilder) -> None:
    builder.model("only")
    show("playground")
    assert proposed() == ["model-only"]
