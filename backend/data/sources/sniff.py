"""What a file is, by its content; the name's extension is a hint where the content leaves a choice."""

from __future__ import annotations

import codecs
import json
import re
import zipfile
import zlib
from pathlib import Path

from backend.core.errors import StudioError
from backend.data.formats import FORMATS, SourceFormat, by_name, by_suffix
from backend.data.sources.dialect import find_dialect
from backend.data.sources.names import usual_names
from backend.data.sources.text_file import InputFile

OLD_OFFICE = b"\xd0\xcf\x11\xe0"
BINARY = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"\x7fELF", "a program"),
    (b"GGUF", "a GGUF model"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"PK", "another program's document"),
)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CONTROL = bytes([*range(9), *range(14, 27), *range(28, 32)])
HEAD = 64 * 1024
_OBJECT = re.compile(r'\{\s*["}]')
_LIST = re.compile(r'\[\s*([\[{"\]\d-]|true|false|null)')
_MARKUP = re.compile(r"<(!doctype|html|\?xml|table|svg)\b", re.IGNORECASE)
_LEAST_ROWS = 3


def format_of(file: InputFile, head: bytes) -> SourceFormat:
    """Raises StudioError when it can't be a source."""
    for row in FORMATS:
        if row.magic and head.startswith(row.magic):
            return row
    if head.startswith(OLD_OFFICE) or is_workbook(file.path, head):
        return by_name("workbook")
    if not head.strip() or head in _MARKS:
        raise StudioError("data.empty", file=file.name)
    text = head_text(head)
    for magic, found in BINARY:
        if head.startswith(magic):
            raise StudioError("data.binary", file=file.name, found=found)
    if not text and _is_binary(head):
        raise StudioError("data.binary", file=file.name, found="binary data")
    return _text_format(file, (text or head.decode("latin-1")).lstrip())


def is_workbook(path: Path, head: bytes) -> bool:
    """Whether a zip file is a workbook of Excel or OpenDocument."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            sheet = "content.xml" in names and b"spreadsheet" in archive.read("mimetype")[:200]
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, ValueError, EOFError, zlib.error):
        return head[30:70].startswith((b"[Content_Types].xml", b"xl/"))
    return sheet or any(name.startswith("xl/workbook") for name in names)


def is_document(path: Path) -> bool:
    """Whether a zip file is a document of another office program."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return False
    return "[Content_Types].xml" in names or "META-INF/MANIFEST.MF" in names or "mimetype" in names


def head_text(head: bytes) -> str:
    """The head as text, signs beyond ASCII only roughly; "" for what is no text."""
    if head.startswith(_MARKS[1:]):
        return head.decode("utf-16" if head[2:4] != b"\0\0" else "utf-32", errors="replace")
    zeros = head.count(0)
    if zeros * 10 > len(head) * 3:
        wide = "utf-16-le" if head[1::2].count(0) == zeros else "utf-16-be" if head[0::2].count(0) == zeros else ""
        return head.decode(wide, errors="replace") if wide else ""
    return "" if _is_binary(head) else head.decode("utf-8-sig", errors="replace")


def _is_binary(head: bytes) -> bool:
    control = len(head) - len(head.translate(None, _CONTROL))
    return control * 20 > len(head) and (0 in head or not _is_utf8(head))


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _text_format(file: InputFile, text: str) -> SourceFormat:
    named = by_suffix().get(file.path.suffix.lower())
    if not text.strip("\ufeff \t\r\n"):
        raise StudioError("data.empty", file=file.name)
    if _MARKUP.match(text):
        raise StudioError("data.binary", file=file.name, found="a web page or XML document")
    asked = named is not None and named.name in ("json", "jsonl")
    if asked or _is_json(text):
        return by_name(_json_kind(text, named))
    if named is not None and named.name in ("csv", "tsv", "yaml"):
        return named
    if file.path.suffix.lower() == ".md" or not _is_table(text, file.name):
        if named is not None and named.name == "text":
            return named
        if named is None:
            raise StudioError("data.extension", file=file.name, known=", ".join(by_suffix()))
    return by_name("csv")


def _is_json(text: str) -> bool:
    """Whether the text opens with a JSON object or list, as far as the head shows it."""
    if not (_OBJECT.match(text) or _LIST.match(text)):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text) - 10 or error.msg.startswith("Unterminated string")
    except (RecursionError, ValueError):
        pass
    return True


def _json_kind(text: str, named: SourceFormat | None) -> str:
    """Lines, or one document. Objects that follow one another over several lines are read as a document is."""
    first, _, rest = text.partition("\n")
    follows, asked = rest.lstrip(), named is not None and named.name == "jsonl"
    if first.startswith("["):
        return "jsonl" if follows.startswith("[") and _is_whole(first) else "json"
    if _is_whole(first):
        return "jsonl" if asked or follows.startswith("{") else "json"
    broken = not first.startswith("{") or follows.startswith("{") or not rest
    return "jsonl" if asked and broken else "json"


def _is_whole(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(text: str, name: str) -> bool:
    """Whether nearly all lines have the same number of cells: tabs, pipes and semicolons say that by themselves, commas with
    names above them."""
    end = text.rfind("\n")
    try:
        sample, _ = find_dialect(text[: end + 1] if end > 0 else text, end <= 0, "", "auto", name)
    except StudioError:
        return False
    even = sample.width > 1 and sample.even >= 0.98 and len(sample.rows) >= _LEAST_ROWS
    return even and (sample.dialect.delimiter in "\t|;" or usual_names(sample.rows[0][1]) > 0)
