"""Files of all shapes are taken for what they are: the schema, the columns of the prompt in order, the answer."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from backend.core.messages.words import WORDS
from backend.data.reading.schemas import SCHEMAS
from tests.data.reading.tables import (
    ESTADOS,
    MOODS,
    answer,
    chat,
    code,
    completion,
    context,
    customer_chat,
    day,
    long,
    number,
    price,
    prompt,
    question,
    reading,
    sharegpt,
    short,
    system_chat,
    text,
    texto,
    uuid,
)


class Shape(NamedTuple):
    """`roles`: those of the reading that are not empty, carried ones and group left out."""

    name: str
    columns: dict[str, Any]
    schema: str
    roles: dict[str, Any]
    facts: dict[str, Any] = {}


def shape(name: str, columns: dict[str, Any], schema: str, facts: dict[str, Any] | None = None, **roles: Any) -> Shape:
    return Shape(name, columns, schema, roles, facts or {})


def choices(n: int) -> list[str]:
    return [f"wet {n}", f"open {n}", f"torn {n}"]


SHAPES = [
    # a text and a label
    shape("text, label", {"text": text, "label": MOODS}, "text_label", input=["text"], output="label"),
    shape("label first", {"intent": MOODS, "utterance": text}, "text_label", input=["utterance"], output="intent"),
    shape("Spanish", {"texto": texto, "etiqueta": ESTADOS}, "text_label", input=["texto"], output="etiqueta"),
    shape(
        "Spanish with case and spaces",
        {" Mensaje del cliente ": texto, "Categoría": ESTADOS, "Fecha": day},
        "text_label",
        input=[" Mensaje del cliente "],
        output="Categoría",
        time="Fecha",
    ),
    shape(
        "German",
        {"Nr": number, "Text": text, "Betrag": price, "Kategorie": MOODS},
        "text_label",
        input=["Text"],
        output="Kategorie",
    ),
    shape("French", {"commentaire": text, "catégorie": MOODS}, "text_label", input=["commentaire"], output="catégorie"),
    shape("by values", {"nr": number, "a": text, "b": MOODS}, "text_label", input=["a"], output="b"),
    shape(
        "other script", {"النص": text, "التصنيف": ["👍", "👎", "🤷"]}, "text_label", input=["النص"], output="التصنيف"
    ),
    shape(
        "true, false", {"message": text, "is_spam": [True, False]}, "text_label", input=["message"], output="is_spam"
    ),
    shape(
        "TRUE, FALSE",
        {"message": text, "is_spam": ["TRUE", "FALSE"]},
        "text_label",
        input=["message"],
        output="is_spam",
    ),
    shape("0 and 1", {"sms": text, "spam": [0, 1, 0]}, "text_label", input=["sms"], output="spam"),
    shape(
        "words for nothing",
        {"text": text, "label": ["NA", "None", "null"]},
        "text_label",
        input=["text"],
        output="label",
    ),
    shape("decimals", {"text": text, "label": [0.0, 1.0, 2.0]}, "text_label", input=["text"], output="label"),
    shape("bytes", {"text": text, "label": [b"bad", b"good"]}, "text_label", input=["text"], output="label"),
    shape(
        "stars with gaps",
        {
            "review_id": code,
            "review_body": text,
            "stars": [1.0, None, 3.0, 5.0],
            "language": "en",
            "product_category": ["home", "garden", "office"],
        },
        "text_label",
        input=["review_body"],
        output="stars",
    ),
    shape(
        "record ids",
        {"rec": lambda n: f"Rbad{n:03d}", "remark": text, "verdict": MOODS},
        "text_label",
        input=["remark"],
        output="verdict",
    ),
    shape(
        "an output that counts the rows",
        {"output": number, "text": text, "sentiment": MOODS},
        "text_label",
        input=["text"],
        output="sentiment",
    ),
    shape(
        "a source of two values",
        {"Customer\u00a0Text": text, "meta.source": ["shop", "web"], "Étiquette finale": MOODS},
        "text_label",
        input=["Customer\u00a0Text"],
        output="Étiquette finale",
    ),
    shape(
        "label_text names label",
        {"text": text, "label": [0, 1, 2], "label_text": MOODS},
        "text_label",
        input=["text"],
        output="label",
        label_names="label_text",
    ),
    shape(
        "ClassLabel of 70 classes",
        {"text": text, "label": lambda n: n % 12 + 30},
        "text_label",
        {"label_names": {"label": [f"class {n}" for n in range(42)]}},
        input=["text"],
        output="label",
    ),
    shape(
        "split column",
        {"split": ["train", "train", "dev", "test"], "text": text, "label": MOODS},
        "text_label",
        input=["text"],
        output="label",
        split="split",
    ),
    shape("one class", {"text": text, "label": "ok"}, "text_label", input=["text"], output="label"),
    shape(
        "comments beside",
        {"text": text, "label": MOODS, "comments": lambda n: f"checked by hand {n}"},
        "text_label",
        input=["text"],
        output="label",
    ),
    shape(
        "question with a label",
        {"Frage": question, "Wert": price, "Antwort": MOODS},
        "text_label",
        input=["Frage"],
        output="Antwort",
    ),
    # subject and body
    shape(
        "tickets",
        {"id": code, "subject": short, "body": long, "category": MOODS},
        "ticket_label",
        input=["subject", "body"],
        output="category",
    ),
    shape(
        "Spanish tickets",
        {"asunto": short, "descripción": long, "departamento": ["ventas", "soporte"]},
        "ticket_label",
        input=["asunto", "descripción"],
        output="departamento",
    ),
    shape(
        "news", {"label": MOODS, "title": short, "text": long}, "ticket_label", input=["title", "text"], output="label"
    ),
    # question and answer
    shape(
        "question, answer",
        {"question": question, "answer": answer},
        "input_output",
        input=["question"],
        output="answer",
    ),
    shape("backwards", {"answer": answer, "question": question}, "input_output", input=["question"], output="answer"),
    shape(
        "user, assistant", {"user": question, "assistant": answer}, "input_output", input=["user"], output="assistant"
    ),
    shape("bot, human", {"bot": answer, "human": question}, "input_output", input=["human"], output="bot"),
    shape(
        "q, a", {"id": number, "category": MOODS, "Q": question, "A": answer}, "input_output", input=["Q"], output="A"
    ),
    shape(
        "Spanish FAQ",
        {"Pregunta": question, "Respuesta": answer},
        "input_output",
        input=["Pregunta"],
        output="Respuesta",
    ),
    shape("German FAQ", {"Frage": question, "Antwort": answer}, "input_output", input=["Frage"], output="Antwort"),
    shape("entrada, salida", {"entrada": texto, "salida": answer}, "input_output", input=["entrada"], output="salida"),
    shape("input, output", {"input": question, "output": answer}, "input_output", input=["input"], output="output"),
    shape(
        "words of names",
        {"question_text": question, "best_answer": answer},
        "input_output",
        input=["question_text"],
        output="best_answer",
    ),
    shape(
        "customer and agent",
        {"date": day, "customer_message": question, "agent_reply": answer},
        "input_output",
        input=["customer_message"],
        output="agent_reply",
        time="date",
    ),
    shape(
        "numbers as answers",
        {"question": question, "answer": price},
        "input_output",
        input=["question"],
        output="answer",
    ),
    # instructions
    shape(
        "Alpaca",
        {"instruction": "Turn it into one sentence.", "input": text, "output": answer},
        "alpaca",
        input=["instruction", "input"],
        output="output",
    ),
    shape(
        "Alpaca without inputs",
        {
            "instruction": question,
            "input": "",
            "output": answer,
            "system": "Be brief.",
            "history": lambda n: [["Hi", f"Ho {n}"]],
        },
        "alpaca",
        input=["instruction"],
        output="output",
        system="system",
        history="history",
    ),
    shape(
        "Spanish Alpaca",
        {"instrucción": question, "entrada": texto, "salida": answer},
        "alpaca",
        input=["instrucción", "entrada"],
        output="salida",
    ),
    shape(
        "Dolly",
        {"instruction": question, "context": context, "response": answer, "category": MOODS},
        "dolly",
        input=["instruction", "context"],
        output="response",
    ),
    shape(
        "Bitext",
        {"flags": MOODS, "instruction": question, "category": MOODS, "intent": MOODS, "response": answer},
        "alpaca",
        input=["instruction"],
        output="response",
    ),
    shape("code", {"prompt": text, "completion": answer}, "prompt_completion", input=["prompt"], output="completion"),
    # a text beside the question
    shape(
        "question on a context",
        {"question": question, "answer": answer, "context": context},
        "question_context",
        input=["context", "question"],
        output="answer",
    ),
    shape(
        "few questions on many contexts",
        {"question": ["When was it made?", "How heavy is it?"], "answer": answer, "context": context},
        "question_context",
        input=["context", "question"],
        output="answer",
    ),
    shape(
        "Spanish context",
        {"contexto": context, "pregunta": question, "respuesta": answer},
        "question_context",
        input=["contexto", "pregunta"],
        output="respuesta",
    ),
    shape(
        "yes and no on a passage",
        {"question": question, "passage": context, "answer": [True, False]},
        "question_context",
        input=["passage", "question"],
        output="answer",
    ),
    shape(
        "SQuAD",
        {
            "id": code,
            "title": MOODS,
            "context": context,
            "question": question,
            "answers": lambda n: {"text": [answer(n)], "answer_start": [n]},
        },
        "squad",
        input=["context", "question"],
        output="answers",
    ),
    # two texts
    shape(
        "NLI",
        {"premise": context, "hypothesis": text, "label": [0, 1, 2]},
        "text_pair",
        input=["premise", "hypothesis"],
        output="label",
    ),
    shape(
        "sentence1, sentence2",
        {"idx": number, "sentence1": text, "sentence2": short, "label": [0, 1]},
        "text_pair",
        input=["sentence1", "sentence2"],
        output="label",
    ),
    shape(
        "duplicate questions",
        {"id": number, "question1": question, "question2": text, "is_duplicate": [0, 1]},
        "text_pair",
        input=["question1", "question2"],
        output="is_duplicate",
    ),
    shape(
        "text_a, text_b with a score",
        {"text_a": text, "text_b": short, "score": price},
        "text_pair",
        input=["text_a", "text_b"],
        output="score",
    ),
    shape(
        "Spanish pairs",
        {"premisa": context, "hipótesis": texto, "etiqueta": ESTADOS},
        "text_pair",
        input=["premisa", "hipótesis"],
        output="etiqueta",
    ),
    # choices
    shape(
        "choices in a list",
        {"question": question, "choices": choices, "answer": [0, 1, 2]},
        "multiple_choice",
        input=["question", "choices"],
        output="answer",
    ),
    shape(
        "choices with letters",
        {
            "question": question,
            "choices": lambda n: {"text": choices(n), "label": ["A", "B", "C"]},
            "answerKey": ["A", "B", "C"],
        },
        "multiple_choice",
        input=["question", "choices"],
        output="answerKey",
    ),
    shape(
        "A, B, C, D",
        {"question": question, "A": short, "B": text, "C": answer, "D": long, "answer": ["A", "C", "B"]},
        "multiple_choice",
        input=["question", "A", "B", "C", "D"],
        output="answer",
    ),
    shape(
        "Spanish options",
        {"pregunta": question, "opcion_a": short, "opcion_b": texto, "opcion_c": answer, "respuesta": ["a", "b", "c"]},
        "multiple_choice",
        input=["pregunta", "opcion_a", "opcion_b", "opcion_c"],
        output="respuesta",
    ),
    # summaries and translations
    shape(
        "summaries",
        {"id": code, "article": long, "highlights": short},
        "summary",
        input=["article"],
        output="highlights",
    ),
    shape(
        "dialogues", {"id": code, "dialogue": long, "summary": short}, "summary", input=["dialogue"], output="summary"
    ),
    shape("Spanish summaries", {"texto": long, "resumen": short}, "summary", input=["texto"], output="resumen"),
    shape("en, es", {"en": text, "es": texto}, "translation", input=["en"], output="es"),
    shape("inglés, español", {"inglés": text, "español": texto}, "translation", input=["inglés"], output="español"),
    shape(
        "nested translation",
        {"translation": lambda n: {"en": text(n), "es": texto(n)}},
        "translation",
        input=["translation.en"],
        output="translation.es",
    ),
    # several labels
    shape(
        "columns of 0 and 1",
        {"text": text, "price": [0, 1], "quality": [1, 0, 0], "delivery": [0, 0, 1]},
        "one_hot",
        input=["text"],
        outputs=["price", "quality", "delivery"],
    ),
    shape(
        "lists of labels",
        {"text": text, "labels": [["price"], ["price", "noise"], []]},
        "listed_labels",
        input=["text"],
        output="labels",
    ),
    shape(
        "joined labels",
        {"texto": texto, "etiquetas": ["precio;ruido", "precio", "ruido;envío", "envío"]},
        "listed_labels",
        input=["texto"],
        output="etiquetas",
    ),
    shape(
        "doccano",
        {"id": number, "text": text, "label": [["price"], ["noise"]]},
        "doccano",
        input=["text"],
        output="label",
    ),
    shape(
        "Label Studio",
        {
            "id": number,
            "data": lambda n: {"text": text(n)},
            "annotations": lambda n: [
                {"id": n, "result": [{"value": {"choices": [MOODS[n % 3]]}, "from_name": "mood"}]}
            ],
        },
        "label_studio",
        input=["data.text"],
        output="annotations",
    ),
    # preferences
    shape(
        "preference",
        {"prompt": question, "chosen": answer, "rejected": short},
        "preference",
        input=["prompt"],
        output="chosen",
        rejected="rejected",
    ),
    shape(
        "preference with messages",
        {"prompt": question, "chosen": chat, "rejected": chat, "score_chosen": price},
        "preference",
        input=["prompt"],
        output="chosen",
        rejected="rejected",
    ),
    shape(
        "preference of whole conversations",
        {"chosen": chat, "rejected": chat},
        "preference",
        messages="chosen",
        rejected="rejected",
    ),
    shape(
        "Spanish preference",
        {"pregunta": question, "elegida": answer, "rechazada": short},
        "preference",
        input=["pregunta"],
        output="elegida",
        rejected="rechazada",
    ),
    shape(
        "KTO",
        {"prompt": question, "completion": answer, "label": [True, False]},
        "kto",
        input=["prompt"],
        output="completion",
        desired="label",
    ),
    # conversations
    shape("messages", {"messages": chat}, "chat", messages="messages"),
    shape("messages as text", {"messages": lambda n: json.dumps(chat(n))}, "chat", messages="messages"),
    shape(
        "messages with tools",
        {"messages": system_chat, "tools": lambda n: [{"type": "function", "function": {"name": f"stock{n}"}}]},
        "chat",
        messages="messages",
        tools="tools",
    ),
    shape("ShareGPT", {"id": code, "conversations": sharegpt}, "sharegpt", messages="conversations"),
    shape(
        "ShareGPT with system",
        {"conversations": sharegpt, "system": "Be brief."},
        "sharegpt",
        messages="conversations",
        system="system",
    ),
    shape(
        "chat with a prompt beside",
        {"prompt": question, "prompt_id": uuid, "messages": chat, "category": MOODS},
        "chat",
        messages="messages",
    ),
    shape(
        "prompt and completion",
        {"prompt": prompt, "completion": completion},
        "prompt_completion",
        messages="prompt",
        output="completion",
    ),
    shape("evals", {"input": prompt, "ideal": answer}, "openai_evals", messages="input", output="ideal"),
    shape(
        "one row per turn",
        {"conversation_id": lambda n: f"c{n // 4}", "role": ["user", "assistant"], "content": text},
        "turns",
        input=["content"],
        speaker="role",
    ),
    shape(
        "Spanish turns",
        {"id_conversación": lambda n: n // 4, "rol": ["cliente", "agente"], "mensaje": texto},
        "turns",
        input=["mensaje"],
        speaker="rol",
    ),
    shape(
        "conversation, label",
        {"messages": customer_chat, "label": MOODS},
        "conversation_label",
        messages="messages",
        output="label",
    ),
    shape(
        "conversation, summary",
        {"conversation": chat, "summary": short},
        "conversation_summary",
        messages="conversation",
        output="summary",
    ),
    # as public collections have them
    shape(
        "SQuAD in flat columns",
        {
            "title": MOODS,
            "context": context,
            "question": question,
            "answer_text": answer,
            "answer_start": lambda n: n * 7,
        },
        "question_context",
        input=["context", "question"],
        output="answer_text",
    ),
    shape(
        "a tree of messages",
        {
            "message_id": uuid,
            "text": text,
            "role": ["prompter", "assistant"],
            "message_tree_id": lambda n: f"{n // 4}-t",
        },
        "turns",
        input=["text"],
        speaker="role",
    ),
    shape(
        "several system prompts",
        {"id": code, "system_prompt": ["You are kind.", "Be helpful.", ""], "question": question, "response": answer},
        "input_output",
        input=["question"],
        output="response",
        system="system_prompt",
    ),
    shape(
        "preference of dialogues",
        {
            "chosen": lambda n: f"\n\nHuman: {question(n)}\n\nAssistant: {answer(n)}",
            "rejected": lambda n: f"\n\nHuman: {n}",
        },
        "preference",
        output="chosen",
        rejected="rejected",
    ),
    shape(
        "OpenAI's preferences",
        {
            "input": lambda n: {"messages": prompt(n)},
            "preferred_output": completion,
            "non_preferred_output": completion,
        },
        "preference",
        messages="input.messages",
        output="preferred_output",
        rejected="non_preferred_output",
    ),
    shape(
        "a score and a genre",
        {"genre": MOODS, "sentence1": text, "sentence2": short, "score": price},
        "text_pair",
        input=["sentence1", "sentence2"],
        output="score",
    ),
    shape(
        "question and sentence",
        {"question": question, "sentence": text, "label": [0, 1]},
        "text_pair",
        input=["question", "sentence"],
        output="label",
    ),
    shape("src, tgt", {"src": text, "tgt": texto}, "input_output", input=["src"], output="tgt"),
    # the studio's own, and texts alone
    shape(
        "own export",
        {"split": ["train", "test"], "id": code, "input": text, "output": ["+1", "-1"], "gold": None, "context": None},
        "own_export",
        {"own_export": True},
        input=["input"],
        output="output",
        history="context",
        split="split",
    ),
    shape("texts alone", {"text": text}, "texts", input=["text"]),
    shape("texts with ids", {"id": uuid, "date": day, "comentario": texto}, "texts", input=["comentario"], time="date"),
    shape("raw text", {"text": text}, "raw_text", {"format": "text"}, input=["text"]),
]


@pytest.mark.parametrize("case", SHAPES, ids=[case.name for case in SHAPES])
def test_a_file_is_taken_for_what_it_is(case: Shape) -> None:
    found = reading(case.columns, facts=case.facts)
    assert found.question is None, found.question and found.question.sentence()
    assert found.taken
    roles = found.taken.roles.model_dump(exclude_defaults=True, exclude={"carried", "group"})
    assert (found.taken.schema_name, roles) == (case.schema, case.roles)
    assert all(problem.sentence() and not problem.blocking for problem in found.notes)


def test_the_shapes_are_many_and_every_schema_has_one() -> None:
    assert len(SHAPES) >= 60
    assert {case.schema for case in SHAPES} == {row.name for row in SCHEMAS}
    assert {row.title for row in SCHEMAS} <= WORDS
    assert len({row.name for row in SCHEMAS}) == len(SCHEMAS)


@pytest.mark.parametrize("case", SHAPES, ids=[case.name for case in SHAPES])
def test_the_flags_of_a_reading_choose_it(case: Shape) -> None:
    """What the command line is told to say brings the same reading."""
    taken = reading(case.columns, facts=case.facts).taken
    assert taken
    said: dict[str, Any] = {
        "data_schema": taken.schema_name,
        "input_columns": taken.roles.input,
        "output": taken.roles.output,
    }
    again = reading(case.columns, facts=case.facts, **said, messages=taken.roles.messages)
    assert again.taken and again.question is None
    assert again.taken.model_dump(exclude={"confidence", "reason"}) == taken.model_dump(
        exclude={"confidence", "reason"}
    )
