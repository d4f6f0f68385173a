"""From the counts of a column to its kind: what the values decide, whatever the column is called."""

from __future__ import annotations

from backend.data.reading.column import ColumnProfile
from backend.data.reading.model import ColumnKind
from backend.data.reading.names import LABEL, LABEL_FIRST, MESSAGES, SPLITS, key, strength

MAX_LABELS = 1000
MAX_LABEL_CHARS = 60
ROWS_PER_LABEL = 3
_NUMBERS_AS_LABELS = 20
_NEARLY_ALL = 0.95
_ADDRESSES = ("uuid", "hash", "url", "email")


def kind_of(found: ColumnProfile) -> ColumnKind:
    """The kind of a column by its values alone."""
    if not found.filled:
        return "empty"
    nested = _nested(found)
    if nested:
        return nested
    if is_split(found):
        return "split"
    if found.distinct == 1 and found.filled > 1:
        return "constant"
    if counts_rows(found):
        return "row_number"
    if found.share("date") >= _NEARLY_ALL:
        return "date"
    if found.share(*_ADDRESSES) >= _NEARLY_ALL:
        return "id"
    if found.share("boolean") >= _NEARLY_ALL and found.distinct <= 4:
        return "boolean"
    if found.share("integer", "number") >= _NEARLY_ALL:
        return "label" if _numbers_as_labels(found) else "number"
    if _codes(found):
        return "id"
    return "label" if _words_as_labels(found) else "text"


def _nested(found: ColumnProfile) -> ColumnKind | None:
    lists = found.share("strings", "spans", "list", "empty list")
    if found.share("binary") > 0.5:
        return "binary"
    if found.share("messages", "empty list") > 0.9 and found.forms["messages"]:
        return "messages"
    named = strength(found.name, MESSAGES) == 1
    if named and found.share("messages") > 0.3 and found.share("messages", "object") + lists > 0.9:
        return "messages"
    if lists > 0.5:
        return "list"
    return "object" if found.share("object", "messages") + lists > 0.5 else None


def is_split(found: ColumnProfile) -> bool:
    """Whether all values are names of splits, training among them."""
    if not 2 <= len(found.values) <= 6:
        return False
    names = {SPLITS.get(key(text)) for text in found.texts}
    return None not in names and "train" in names and len(names) > 1


def counts_rows(found: ColumnProfile) -> bool:
    """Whether the values number the rows: 1, 2, 3 or R001, R002, each once, in the order of the file or shuffled."""
    if not found.unique or found.distinct < 3 or found.share("integer", "code") < _NEARLY_ALL:
        return False
    if found.counts_up >= 0.9 and found.skeletons <= 5:
        return True
    if found.capped or found.share("integer") < 1:
        return False
    numbers = [int(text) for text in found.texts]
    return len(numbers) == found.filled and min(numbers) in (0, 1) and max(numbers) - min(numbers) + 1 == len(numbers)


def is_label(found: ColumnProfile, most_chars: int = MAX_LABEL_CHARS, per_label: int = ROWS_PER_LABEL) -> bool:
    """2 to 1,000 short values without line breaks, each `per_label` times on average, all rows counted."""
    return (
        not found.capped
        and 2 <= found.distinct <= MAX_LABELS
        and found.max_chars <= most_chars
        and not found.lines
        and found.filled >= per_label * found.distinct
    )


def _numbers_as_labels(found: ColumnProfile) -> bool:
    """0 and 1, stars, numbers of classes; not amounts with decimals, not ages."""
    return (
        is_label(found, per_label=2) and found.distinct <= _NUMBERS_AS_LABELS and found.share("integer") >= _NEARLY_ALL
    )


def _codes(found: ColumnProfile) -> bool:
    """Codes of letters and digits without spaces: each once, or many that differ in their digits only."""
    if found.share("code", *_ADDRESSES, "integer") < 0.9 or not found.forms["code"] + found.forms["hash"]:
        return False
    serial = found.skeletons <= 3 and (found.capped or found.distinct > _NUMBERS_AS_LABELS)
    named = strength(found.name, LABEL_FIRST + LABEL) == 1 and is_label(found)
    return found.unique or (serial and not named)


def _words_as_labels(found: ColumnProfile) -> bool:
    """Short words that repeat; questions that repeat are texts."""
    small = found.filled < 30
    if not is_label(found, per_label=2 if small else ROWS_PER_LABEL):
        return False
    return found.mean_words <= 4 or (found.mean_words <= 6 and found.distinct <= 50 and not _asks(found))


def _asks(found: ColumnProfile) -> bool:
    return sum(text.rstrip().endswith("?") for text in found.texts) * 2 > len(found.texts)
