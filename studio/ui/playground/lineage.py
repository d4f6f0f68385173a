"""What the store tells a conversation: which models there are, which to begin with, how each is asked, examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from operator import itemgetter

import streamlit as st

from backend.api import MODEL_KINDS
from backend.api.projects import LEFT_OUT
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import Row, Template, gold_answer
from studio.ui.shared import api_cache, scope
from studio.ui.shared.project import project

EXAMPLES = 4
_SHORT = 2_000
_SEEN = 200
"""Rows among which the examples are chosen."""


def models() -> dict[str, ArtifactView]:
    """Everything that can be talked to, those of the project first, newest first."""
    mine = project().id
    found = sorted(api_cache.artifacts(MODEL_KINDS), key=lambda view: view.project != mine)
    return {view.id: view for view in found if not view.facts.get(LEFT_OUT)}


def template_of(model: str) -> Template:
    """The words around a message that a model learned; none for a model that learned nothing here."""
    view = models().get(model)
    return Template.model_validate((view.facts.get("template") if view else None) or {})


def proposed() -> list[str]:
    """The pair to begin with: the project's newest INT4 model (else its newest, else a built-in one), and its teacher, else
    the model that it comes from."""
    options = [view for view in scope.own(MODEL_KINDS) if view.id in models()]
    mine = [view for view in options if view.project == project().id]
    int4 = [view for view in mine if view.kind is Kind.ONNX and view.facts.get("precision") == "int4"]
    first = next(iter([*int4, *mine, *options]), None)
    if first is None:
        return []
    older = ancestors(first.id)
    teachers = {view.facts.get("teacher") for view in older if view.kind is Kind.DATASET}
    before = [view for view in older if view.kind in MODEL_KINDS]
    taught = [view for view in before if view.name in teachers]
    return [first.id, *(view.id for view in (taught or before)[-1:])]


def ancestors(artifact_id: str) -> list[ArtifactView]:
    """Everything that it was made from, the nearest first: of a student its base, then the teacher behind its rows."""
    known = {view.id: view for view in api_cache.artifacts()}  # it may lack what was made a moment ago
    found: dict[str, ArtifactView] = {}
    layer = [artifact_id]
    while layer:
        parents = [parent for child in layer if child in known for parent in known[child].parents]
        layer = [parent for parent in dict.fromkeys(parents) if parent in known and parent not in found]
        found |= {parent: known[parent] for parent in layer}
    return list(found.values())


def examples(model: str) -> list[Row]:
    """A few different validation rows of the dataset behind a model, else of the project's newest; never rows of the test
    split."""
    mine = [view for view in api_cache.artifacts((Kind.DATASET,)) if view.project == project().id]
    older = [view for view in ancestors(model) if view.kind is Kind.DATASET] if model in models() else []
    usable = [view for view in [*older, *mine] if view.facts.get("rows", {}).get("validation")]
    return _validation_rows(usable[0].id) if usable else []


@st.cache_resource(ttl="60s", max_entries=16, show_spinner=False)
def _validation_rows(dataset: str) -> list[Row]:
    """Rows that stand alone: one that goes on with a conversation is no first message."""
    rows = api_cache.studio().rows(dataset, "validation", 0, _SEEN)
    return different([row for row in rows if not row.context and len(row.input) <= _SHORT])[:EXAMPLES]


def different(rows: Iterable[Row]) -> list[Row]:
    """Rows without repeated texts; first one of each answer, then the second of each, and so on."""
    texts: dict[str, Row] = {}
    for row in rows:
        texts.setdefault(" ".join(row.input.split()).casefold(), row)
    seen: Counter[str | None] = Counter()
    rounds = []
    for row in texts.values():
        rounds.append((seen[gold_answer(row)], row))
        seen[gold_answer(row)] += 1
    return [row for _round, row in sorted(rounds, key=itemgetter(0))]
