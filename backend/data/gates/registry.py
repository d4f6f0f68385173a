"""The only list of gates: what a dataset is checked for before it is trained on."""

from __future__ import annotations

from backend.data.gates.base import Gate
from backend.data.gates.classes import ClassesForRows, Imbalance, OneClass, RareClasses
from backend.data.gates.label_names import LabelVariants
from backend.data.gates.languages import OtherLanguage
from backend.data.gates.lengths import Empty, Lengths, TokenLengths
from backend.data.gates.near import Leaks, NearDuplicates
from backend.data.gates.patterns import ControlTokens, Encoding, Html, PersonalData, Secrets, TemplateRests
from backend.data.gates.phrases import Declining, Injection
from backend.data.gates.same_rows import Contradictions, Duplicates
from backend.data.gates.wrong_labels import WrongLabels

GATES: tuple[Gate, ...] = (
    Gate(name="one_class", title="Single class", needs="rows", severity="error", make=OneClass, quick=True),
    Gate(name="too_many_classes", title="Too many classes", needs="rows", severity="warning", make=ClassesForRows),
    Gate(name="rare_classes", title="Rare classes", needs="rows", severity="warning", make=RareClasses, quick=True),
    Gate(name="imbalance", title="Class imbalance", needs="rows", severity="warning", make=Imbalance, quick=True),
    Gate(
        name="label_variants",
        title="Label spelling variants",
        needs="rows",
        severity="warning",
        make=LabelVariants,
        fix="merge_labels",
        quick=True,
    ),
    Gate(
        name="contradictions",
        title="Same input, different answers",
        needs="rows",
        severity="warning",
        make=Contradictions,
        fix="drop_contradictions",
        quick=True,
        error_above=0.05,
    ),
    Gate(
        name="duplicates",
        title="Duplicates",
        needs="rows",
        severity="warning",
        make=Duplicates,
        fix="drop_duplicates",
        quick=True,
        error_above=0.3,
    ),
    Gate(
        name="near_duplicates",
        title="Near duplicates",
        needs="pairs",
        severity="warning",
        make=NearDuplicates,
        fix="drop_near_duplicates",
    ),
    Gate(
        name="leaks",
        title="Leaks between splits",
        needs="pairs",
        severity="warning",
        make=Leaks,
        fix="drop_leaks",
        error_above=0.02,
    ),
    Gate(
        name="wrong_labels",
        title="Suspected wrong labels",
        needs="pairs",
        severity="warning",
        make=WrongLabels,
        fix="drop_rows",
        error_above=0.2,
    ),
    Gate(
        name="empty",
        title="Empty rows",
        needs="rows",
        severity="warning",
        make=Empty,
        fix="drop_empty",
        error_above=0.1,
    ),
    Gate(name="lengths", title="Very short or long rows", needs="rows", severity="info", make=Lengths, fix="drop_rows"),
    Gate(
        name="language", title="Other language", needs="rows", severity="warning", make=OtherLanguage, fix="drop_rows"
    ),
    Gate(
        name="encoding",
        title="Damaged characters",
        needs="rows",
        severity="warning",
        make=Encoding,
        fix="repair_encoding",
        quick=True,
        error_above=0.1,
    ),
    Gate(
        name="personal",
        title="Personal data",
        needs="rows",
        severity="warning",
        make=PersonalData,
        fix="mask_personal",
        quick=True,
    ),
    Gate(
        name="secrets",
        title="Keys and passwords",
        needs="rows",
        severity="error",
        make=Secrets,
        fix="mask_secrets",
        quick=True,
    ),
    Gate(
        name="control_tokens",
        title="Control tokens in the text",
        needs="rows",
        severity="warning",
        make=ControlTokens,
        fix="drop_rows",
        quick=True,
    ),
    Gate(name="html", title="HTML", needs="rows", severity="warning", make=Html, fix="strip_html"),
    Gate(
        name="template_rests",
        title="Template placeholders",
        needs="rows",
        severity="warning",
        make=TemplateRests,
        fix="drop_rows",
    ),
    Gate(
        name="injection",
        title="Prompt injection",
        needs="rows",
        severity="warning",
        make=Injection,
        fix="drop_rows",
    ),
    Gate(
        name="declining",
        title="Refusals",
        needs="rows",
        severity="warning",
        make=Declining,
        fix="drop_rows",
    ),
    Gate(
        name="tokens",
        title="Longer than the context",
        needs="tokenizer",
        severity="warning",
        make=TokenLengths,
        fix="drop_rows",
        error_above=0.2,
    ),
)
NAMES: tuple[str, ...] = tuple(gate.name for gate in GATES)


def gate(name: str) -> Gate:
    """One gate. Raises KeyError for an unknown name."""
    return {each.name: each for each in GATES}[name]
