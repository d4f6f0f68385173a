"""What a source file is: its format by extension, checked against its bytes, and its text encoding."""

from __future__ import annotations

import codecs
import json
import zipfile
from pathlib import Path

from backend.core.errors import StudioError
from backend.data.formats import FORMATS, SourceFormat, by_name, by_suffix

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".tar")
_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (xls, doc)"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1", "an Arrow file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"\x7fELF", "a program"),
    (b"GGUF", "a GGUF model"),
)
_PACKED_MAGIC = (b"\x1f\x8b", b"BZh91AY", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = bytes([*range(9), *range(14, 27), *range(28, 32)])
_HEAD = 64 * 1024


def sniff(path: Path) -> tuple[SourceFormat, str]:
    """(format, encoding) of `path`; encoding is "" for a binary one. Raises StudioError when it can't be a source."""
    head = _head(path)
    suffix = path.suffix.lower()
    known = by_suffix()
    if suffix in _PACKED or head.startswith(_PACKED_MAGIC):
        raise StudioError("data.packed", file=path.name)
    if suffix in (".xlsx", ".xls", ".ods"):
        raise StudioError("data.workbook", file=path.name)
    if suffix not in known:
        raise StudioError("data.extension", file=path.name, known=", ".join(known))
    named = known[suffix]
    if not head.strip():
        raise StudioError("data.empty", file=path.name)
    if named.magic:
        if not head.startswith(named.magic):
            raise StudioError("data.not_format", file=path.name, format=named.title)
        return named, ""
    _refuse_binary(path, head)
    encoding = _encoding(path, head)
    return _text_format(path, named, head, encoding), encoding


def locate_bad_byte(path: Path, encoding: str) -> tuple[int, int]:
    """(line, byte offset) of the first byte that is not valid in `encoding`, both counted from 1 and 0. Reads the file in
    pieces; (0, 0) when all is valid."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, fed = 1, 0
    with path.open("rb") as stream:
        while True:
            piece = stream.read(_HEAD)
            try:
                line += decoder.decode(piece, final=not piece).count("\n")
            except UnicodeDecodeError as error:
                start = fed + len(piece) - len(error.object) + error.start
                before = error.object[: error.start].decode(error.encoding, errors="ignore")
                return line + before.count("\n"), start
            if not piece:
                return 0, 0
            fed += len(piece)


def broken_encoding(path: Path, encoding: str) -> StudioError:
    """The error that names the first byte that can't be read."""
    row, byte = locate_bad_byte(path, encoding)
    name = encoding.removesuffix("-sig").upper()
    return StudioError("data.encoding_broken", file=path.name, row=row, byte=byte, encoding=name)


def _head(path: Path) -> bytes:
    if not path.exists():
        raise StudioError("data.missing", file=path)
    if not path.is_file():
        raise StudioError("data.folder", file=path)
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError as error:
        raise StudioError("data.unreadable", file=path, reason=error.strerror) from error


def _refuse_binary(path: Path, head: bytes) -> None:
    for row in FORMATS:
        if row.magic and head.startswith(row.magic):
            raise _wrong_extension(path, row)
    if head.startswith(b"PK\x03\x04"):
        raise StudioError("data.workbook" if _is_workbook(path) else "data.packed", file=path.name)
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise StudioError("data.binary", file=path.name, found=what)


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _encoding(path: Path, head: bytes) -> str:
    for bom, name in _BOMS:
        if head.startswith(bom):
            if len(head) <= len(bom):
                raise StudioError("data.empty", file=path.name)
            return name
    zeros = head.count(0)
    if zeros * 10 > len(head) * 3 and (head[1::2].count(0) == zeros or head[0::2].count(0) == zeros):
        raise StudioError("data.utf16_without_mark", file=path.name)
    control = len(head) - len(head.translate(None, _CONTROL))
    if control * 20 > len(head) and (zeros or not _is_utf8(head)):
        raise StudioError("data.binary", file=path.name, found="binary data")
    return "utf-8"


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _text_format(path: Path, named: SourceFormat, head: bytes, encoding: str) -> SourceFormat:
    """`json` and `jsonl` are told apart by content; another format that holds JSON is refused."""
    text = head.decode(encoding, errors="ignore").lstrip()
    if not text:
        raise StudioError("data.empty", file=path.name)
    if named.name in ("json", "jsonl"):
        lines = not text.startswith("[") and (named.name == "jsonl" or _opens_json_lines(text))
        return by_name("jsonl" if lines else "json")
    if _opens_json_lines(text) or _opens_json_list(text):
        raise _wrong_extension(path, by_name("jsonl" if _opens_json_lines(text) else "json"))
    return named


def _wrong_extension(path: Path, found: SourceFormat) -> StudioError:
    name = path.with_suffix(found.suffixes[0]).name
    return StudioError("data.wrong_extension", file=path.name, found=found.title, name=name)


def _opens_json_lines(text: str) -> bool:
    first, _, rest = text.partition("\n")
    return first.startswith("{") and rest.lstrip().startswith("{") and _is_object(first)


def _opens_json_list(text: str) -> bool:
    return (text.startswith("[") and text[1:].lstrip().startswith('{"')) or (text.startswith("{") and _is_object(text))


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except json.JSONDecodeError:
        return False
