"""The encoding of a text file: its mark, UTF-8 by all of its bytes, else a guess from the lines that are not ASCII."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from backend.core.errors import StudioError
from backend.core.messages.reading_words import ENCODINGS

PIECE = 1 << 20
_HEAD = 64 * 1024
_SAMPLE = 256 * 1024
"""Bytes of lines with letters beyond ASCII that a guess looks at."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_FOREIGN = re.compile(r"[\u0250-\U0010ffff]+")
_HIGH = re.compile(rb"[\x80-\xff]")
_LETTERS = frozenset("áéíóúàèìòùâêîôûäëïöüãõñçåæøœßÁÉÍÓÚÀÈÌÒÙÂÊÎÔÛÄËÏÖÜÃÕÑÇÅÆØŒ")
_SIGNS = frozenset("¿¡€–—‘’“”„…«»°ºª·£§©®™\xa0´•²³½¼×±ÿ")
_GLUED = frozenset("‘’·\xad")
WESTERN = ("cp1252", "mac_roman", "cp850")
"""In the order in which they are believed: Windows, an old Mac, DOS."""


@dataclass
class Encoding:
    """`name`: of the codec; `sure`: not guessed; `valid`: every byte of the file can be decoded."""

    name: str
    sure: bool = True
    valid: bool = True


@dataclass
class ByteCount:
    """What one pass over a file counts: lines, those that end with \\r alone, bytes of the longest in whole pieces, and how far
    it is UTF-8."""

    lines: int = 0
    returns: int = 0
    longest: int = 0
    utf8: bool = True
    sequences: int = 0
    stray: int = 0
    sample: bytearray = field(default_factory=bytearray)


def find_encoding(path: Path, name: str, wanted: str = "") -> tuple[Encoding, ByteCount]:
    """Reads the whole file once, in pieces. `wanted`: a codec that a person named. Raises StudioError for an unknown one, and
    for a file that is empty behind its mark."""
    if wanted:
        return _wanted(path, name, wanted)
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    for bom, codec in _BOMS:
        if head.startswith(bom):
            if len(head) <= len(bom):
                raise StudioError("data.empty", file=name)
            if codec != "utf-8-sig":
                return Encoding(codec), count_bytes(path)
            counted = count_bytes(path)
            return Encoding(codec, valid=counted.utf8), counted
    wide = _unmarked_utf16(head)
    counted = count_bytes(path)
    if wide:
        return Encoding(wide, sure=False), counted
    if counted.utf8:
        return Encoding("utf-8"), counted
    if counted.sequences > counted.stray:
        return Encoding("utf-8", valid=False), counted
    codec = guess(bytes(counted.sample))
    return Encoding(codec, sure=False, valid=locate_bad_byte(path, codec) == (0, 0)), counted


def count_bytes(path: Path) -> ByteCount:
    """One pass over `path`."""
    counted = ByteCount()
    decoder = codecs.getincrementaldecoder("utf-8")()
    pending, run = False, 0
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            counted.lines += piece.count(b"\n")
            run = 0 if b"\n" in piece or b"\r" in piece else run + len(piece)
            counted.longest = max(counted.longest, run)
            if pending or b"\r" in piece:
                counted.returns += piece.count(b"\r") - piece.count(b"\r\n") - (pending and piece.startswith(b"\n"))
                pending = piece.endswith(b"\r")
            if counted.utf8 and not (piece.isascii() and not decoder.getstate()[0]):
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    counted.utf8 = False
    if counted.utf8 and decoder.getstate()[0]:
        counted.utf8 = False
    counted.lines += counted.returns
    if not counted.utf8:
        _count_sequences(path, counted)
    return counted


def _count_sequences(path: Path, counted: ByteCount) -> None:
    with path.open("rb") as stream:
        for line in _lines(stream):
            if line.isascii():
                continue
            found = _SEQUENCE.findall(line)
            counted.sequences += len(found)
            counted.stray += len(_HIGH.findall(line)) - sum(map(len, found))
            if len(counted.sample) < _SAMPLE:
                counted.sample += line[:4096]


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines, each of a megabyte at most, so that a file without line ends stays small in memory."""
    return iter(lambda: stream.readline(PIECE), b"")


def guess(sample: bytes) -> str:
    """The codec of lines that are not UTF-8: a western one where its text reads as such, else by charset-normalizer."""
    from charset_normalizer import from_bytes

    western = [codec for codec in WESTERN if (text := _decoded(sample, codec)) and reads_western(text)]
    found = from_bytes(sample)
    best = _likeliest(found)
    if western:
        codec, text = western[0], sample.decode(western[0])
        known = any(match.encoding == codec for match in found)
        if codec != "cp1252" or known or best is None or str(best) == text:
            return codec
    if best is not None and _is_sprinkled(str(best)):
        return next((codec for codec in WESTERN if _decoded(sample, codec)), "latin-1")
    return best.encoding if best is not None and best.encoding not in ("utf_8", "ascii") else "cp1252"


def _is_sprinkled(text: str) -> bool:
    """Whether a guess puts a few letters of another alphabet into words of Latin letters: damage, which no codec heals."""
    foreign = _FOREIGN.findall(text)
    plain = sum(letter.isascii() and letter.isalpha() for letter in text)
    letters = sum(map(len, foreign))
    return 0 < letters * 5 < plain and letters <= 3 * len(foreign)


def _likeliest(found: Any) -> Any:
    """Of guesses that are as good as the best one, that of Windows before that of an old Mac."""
    best = found.best()
    if best is None:
        return None
    equal = [match for match in found if match.chaos <= best.chaos + 0.05 and match.coherence >= best.coherence - 0.02]
    return min(equal, key=lambda match: (not match.encoding.startswith("cp125"), match.encoding.startswith("mac")))


def reads_western(text: str) -> bool:
    """Whether letters beyond ASCII are those of western languages, stand among ASCII ones, and signs don't split words."""
    good = odd = 0
    for before, sign, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if sign < "\x80":
            continue
        inside = before.isalpha() and after.isalpha()
        fits = sign in _LETTERS and not (sign.isupper() and before.islower())
        good += fits or (sign in _SIGNS and (not inside or sign in _GLUED))
        odd += not (fits or (sign in _SIGNS and (not inside or sign in _GLUED)))
    plain = sum(letter.isascii() and letter.isalpha() for letter in text)
    return odd * 33 <= good and plain >= 2 * (good + odd)


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
            except UnicodeError:
                return line, fed
            if not piece:
                return 0, 0
            fed += len(piece)


def shown(encoding: str) -> str:
    """A codec's name as people write it."""
    name = encoding.removesuffix("-sig").upper().replace("_", "-")
    if known := ENCODINGS.get(name.lower()):
        return known
    return f"Windows-{name[2:]}" if name.startswith("CP12") else name


def _wanted(path: Path, name: str, wanted: str) -> tuple[Encoding, ByteCount]:
    try:
        codec = codecs.lookup(wanted)
    except (LookupError, ValueError):
        raise StudioError("data.encoding_unknown", field="encoding", name=wanted) from None
    if not getattr(codec, "_is_text_encoding", True):
        raise StudioError("data.encoding_unknown", field="encoding", name=wanted)
    with path.open("rb") as stream:
        marked = stream.read(3) == codecs.BOM_UTF8
    chosen = "utf-8-sig" if codec.name == "utf-8" and marked else codec.name
    return Encoding(chosen, valid=locate_bad_byte(path, chosen) == (0, 0)), count_bytes(path)


def _unmarked_utf16(head: bytes) -> str:
    """UTF-16 without a mark has a zero in every other byte, where the text is in Latin letters."""
    zeros = head.count(0)
    if zeros * 10 <= len(head) * 3:
        return ""
    if head[1::2].count(0) == zeros:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) == zeros else ""


def _decoded(sample: bytes, codec: str) -> str:
    try:
        return sample.decode(codec)
    except UnicodeDecodeError:
        return ""
