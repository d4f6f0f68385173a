"""Datasets with planted faults, and the clean ones that they are made of: what the gates find of them is counted in
`benchmarks/gates.py` and, smaller, in the tests."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.demo import demo_examples
from backend.data.gates.near_pairs import jaccard
from backend.data.near_duplicates import NearDuplicateIndex

SPLITS = (("train", 0.8), ("validation", 0.1), ("test", 0.1))
NEAR_TARGETS = (0.95, 0.9, 0.85, 0.8)


@dataclass
class Planted:
    """Rows by split; `faults`: gate -> ids of the rows that it has to find."""

    rows: dict[str, list[Row]]
    template: Template
    faults: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        write_template(folder, self.template)
        for split in ("train", "validation", "test", "pool"):
            write_split(folder, split, self.rows.get(split, []))
        return folder


def clean_demo(language: str, count: int, seed: int = 0) -> Planted:
    """Commands of the demo in one language, no two of them near copies."""
    pairs = [(example.input, example.output or "") for example in demo_examples((language,))]
    return _clean(pairs, count, seed, labels=True)


def clean_faq(count: int, seed: int = 0) -> Planted:
    """Questions of customers with free answers, with orders, dates, prices, versions and times in them."""
    chance = random.Random(seed)
    pairs = [_faq(chance) for _ in range(count * 12)]
    return _clean(pairs, count, seed, labels=False)


def _clean(pairs: list[tuple[str, str]], count: int, seed: int, labels: bool) -> Planted:
    chance = random.Random(seed)
    chance.shuffle(pairs)
    index = NearDuplicateIndex(0.78)
    kept: list[Row] = []
    for text, answer in pairs:
        if len(kept) < count and not index.find(text):
            index.add(text, text)
            kept.append(Row(id=f"r{len(kept)}", input=text, output=answer))
    assert len(kept) == count, f"{len(kept)} of {count}"
    rows, at = {}, 0
    for split, share in SPLITS:
        rows[split] = kept[at : at + round(count * share)]
        at += round(count * share)
    names = sorted({answer for _text, answer in pairs}) if labels else []
    return Planted(rows, Template(answer="label" if labels else "text", labels=names))


def plant(clean: Planted, language: str, seed: int = 1, scale: float = 1.0) -> Planted:
    """The clean rows with 100 near copies, 20 leaks, 50 pieces of personal data, 10 contradictions, 15 label variants and 20
    wrong labels among them, times `scale`; the last three only with labels."""
    chance = random.Random(seed)
    found = Planted({split: list(rows) for split, rows in clean.rows.items()}, clean.template)
    count: Callable[[int], int] = lambda number: max(1, round(number * scale))  # noqa: E731
    untouched = list(range(len(found.rows["train"])))
    chance.shuffle(untouched)
    if clean.template.answer == "label":
        _variants(found, untouched, count(15), chance)
        _wrong(found, untouched, count(20), chance)
    _personal(found, untouched, count(50), language, chance)
    if clean.template.answer == "label":
        _contradictions(found, untouched, count(10), chance)
    _near(found, untouched, count(100), chance)
    _leaks(found, count(20), chance)
    chance.shuffle(found.rows["train"])
    return found


def _variants(found: Planted, untouched: list[int], count: int, chance: random.Random) -> None:
    forms: list[Callable[[str], str]] = [str.upper, str.lower, lambda t: f"{t} ", lambda t: f" {t}", lambda t: f"{t}."]
    forms += [lambda t: t[0] + "\u0301" + t[1:], lambda t: f"{t}\u200b", lambda t: f"“{t}”", lambda t: f"{t}\u00a0"]
    for number in range(count):
        at = untouched.pop()
        row = found.rows["train"][at]
        form = forms[number % len(forms)]
        found.rows["train"][at] = row.model_copy(update={"output": form(row.output or "")})
        found.faults["label_variants"].add(row.id)


def _wrong(found: Planted, untouched: list[int], count: int, chance: random.Random) -> None:
    for _ in range(count):
        at = untouched.pop()
        row = found.rows["train"][at]
        other = chance.choice([label for label in found.template.labels if label != row.output])
        found.rows["train"][at] = row.model_copy(update={"output": other})
        found.faults["wrong_labels"].add(row.id)


def _personal(found: Planted, untouched: list[int], count: int, language: str, chance: random.Random) -> None:
    for number in range(count):
        at = untouched.pop()
        row = found.rows["train"][at]
        told = personal_sentence(chance, language if language != "both" else ("en", "es")[number % 2], number)
        found.rows["train"][at] = row.model_copy(update={"input": f"{row.input}. {told}"})
        found.faults["personal"].add(row.id)


def _contradictions(found: Planted, untouched: list[int], count: int, chance: random.Random) -> None:
    for number in range(count):
        row = found.rows["train"][untouched.pop()]
        other = chance.choice([label for label in found.template.labels if label != row.output])
        text = (row.input, row.input.upper(), f" {row.input.title()} ")[number % 3]
        found.rows["train"].append(Row(id=f"c{number}", input=text, output=other))
        found.faults["contradictions"] |= {row.id, f"c{number}"}


def _near(found: Planted, untouched: list[int], count: int, chance: random.Random) -> None:
    made = 0
    while made < count and untouched:
        row = found.rows["train"][untouched.pop()]
        target = NEAR_TARGETS[made % len(NEAR_TARGETS)]
        if text := near_copy(row.input, target, chance):
            found.rows["train"].append(Row(id=f"n{made}", input=text, output=row.output))
            found.faults["near_duplicates"].add(f"n{made}")
            made += 1
    assert made == count, f"{made} near duplicates {count}"


def near_copy(text: str, target: float, chance: random.Random) -> str:
    """A copy whose Jaccard index lies within 0.05 above `target`; "" where the text allows none."""
    for _ in range(60):
        made = text
        for _ in range(8):
            made = _edited(made, chance)
            alike = jaccard(made, text)
            if target <= alike < min(0.999, target + 0.05):
                return made
            if alike < target:
                break
    return ""


def _edited(text: str, chance: random.Random) -> str:
    """One small edit: a letter more, less or other, a word twice, or one of a few words in front or behind."""
    words = text.split(" ")
    at = chance.randrange(len(words))
    word, kind = words[at], chance.randrange(5)
    place = chance.randrange(max(1, len(word)))
    if kind == 0:
        words[at] = word[:place] + word[place + 1 :] or word
    elif kind == 1:
        words[at] = word[:place] + chance.choice("aeiourst") + word[place:]
    elif kind == 2:
        words[at] = word[:place] + chance.choice("aeiourst") + word[place + 1 :]
    elif kind == 3:
        words.insert(at, word)
    else:
        words.insert(chance.choice((0, len(words))), chance.choice(("ok", "now", "ya", "so", "a")))
    return " ".join(words)


def _leaks(found: Planted, count: int, chance: random.Random) -> None:
    """Half of them the same but for case and marks, half near copies."""
    measured = [(split, row) for split in ("test", "validation") for row in found.rows[split]]
    chance.shuffle(measured)
    made = 0
    for _split, row in measured:
        same = made % 2 == 0
        text = f"{row.input.capitalize()}!" if same else near_copy(row.input, 0.8, chance)
        if text and made < count:
            found.rows["train"].append(Row(id=f"l{made}", input=text, output=row.output))
            found.faults["leaks"].add(row.id)
            made += 1
    assert made == count


# --- personal data, with check digits made here by their published rules


def personal_sentence(chance: random.Random, language: str, number: int) -> str:
    """A sentence with one piece of personal data; the kinds take turns."""
    forms = _ENGLISH if language == "en" else _SPANISH
    return forms[number % len(forms)](chance)


def _digits(chance: random.Random, count: int) -> str:
    return "".join(str(chance.randrange(10)) for _ in range(count))


def _luhn(chance: random.Random, start: str, count: int) -> str:
    body = start + _digits(chance, count - 1 - len(start))
    total = sum(sum(divmod(int(d) * (2 if at % 2 == 0 else 1), 10)) for at, d in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def _iban(chance: random.Random, country: str, bban: str) -> str:
    number = int("".join(str(int(char, 36)) for char in f"{bban}{country}00"))
    text = f"{country}{98 - number % 97:02d}{bban}"
    return _fours(text) if chance.random() < 0.5 else text


def _fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _dni(chance: random.Random) -> str:
    number = _digits(chance, 8)
    return number + chance.choice(("", "-")) + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def _nie(chance: random.Random) -> str:
    first, number = chance.choice("XYZ"), _digits(chance, 7)
    return first + number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(f"{'XYZ'.index(first)}{number}") % 23]


def _nhs(chance: random.Random) -> str:
    while True:
        body = chance.choice("4679") + _digits(chance, 8)
        check = 11 - sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return f"{body[:3]} {body[3:6]} {body[6:]}{check % 11}"


def _mail(chance: random.Random, names: tuple[str, ...], domains: tuple[str, ...]) -> str:
    one, two = chance.choice(names), chance.choice(names)
    return f"{one}{chance.choice(('.', '_', ''))}{two}{chance.choice(('', '82'))}@{chance.choice(domains)}"


_NAMES_EN, _NAMES_ES = ("jane", "tom", "Olivia", "smith", "parker"), ("maria", "Jose", "lucia", "garcia", "ruiz")
_ENGLISH: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"You can write to {_mail(c, _NAMES_EN, ('example.com', 'mail.example.org', 'example.co.uk'))}",
    lambda c: f"call me on (415) {c.randrange(200, 999)}-{_digits(c, 4)} after six",
    lambda c: f"My number is +44 7911 {_digits(c, 6)}",
    lambda c: f"Card {_fours(_luhn(c, '4', 16))}",
    lambda c: f"reach me at 212-{c.randrange(200, 999)}-{_digits(c, 4)}",
    lambda c: f"SSN {c.randrange(1, 665):03d}-{c.randrange(1, 99):02d}-{c.randrange(1, 9999):04d}",
    lambda c: f"please transfer to {_iban(c, 'GB', 'WEST' + _digits(c, 14))}",
    lambda c: f"my NHS number is {_nhs(c)}",
    lambda c: f"NI: {c.choice(('AB', 'JG', 'PW'))} {_digits(c, 2)} {_digits(c, 2)} {_digits(c, 2)} C",
    lambda c: f"it came from 83.{c.randrange(40, 250)}.{c.randrange(250)}.{c.randrange(1, 250)}",
    lambda c: f"Tel. 020 79{_digits(c, 2)} {_digits(c, 4)}",
    lambda c: f"Amex {_luhn(c, '37', 15)}, expires soon",
    lambda c: f"{_mail(c, _NAMES_EN, ('example.net',)).upper()} is my address",
)
_SPANISH: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"Escríbeme a {_mail(c, _NAMES_ES, ('example.es', 'correo.example.com'))}, por favor",
    lambda c: f"Llámame al 6{_digits(c, 2)} {_digits(c, 3)} {_digits(c, 3)}",
    lambda c: f"mi DNI es {_dni(c)}",
    lambda c: f"Mi móvil es el 7{c.randrange(1, 4)}{_digits(c, 7)}",
    lambda c: f"La cuenta es {_iban(c, 'ES', _digits(c, 20))}",
    lambda c: f"tengo el NIE {_nie(c)}",
    lambda c: f"Teléfono: 91 {_digits(c, 3)} {_digits(c, 2)} {_digits(c, 2)}",
    lambda c: f"la tarjeta {_luhn(c, '52', 16)} no funciona",
    lambda c: f"estoy en el +34 6{_digits(c, 8)}",
    lambda c: f"entró desde la IP 88.{c.randrange(40, 250)}.{c.randrange(250)}.{c.randrange(1, 250)}",
    lambda c: f"mi número es 6{_digits(c, 2)} {_digits(c, 2)} {_digits(c, 2)} {_digits(c, 2)}",
    lambda c: f"el correo {_mail(c, _NAMES_ES, ('example.org',))} es mío",
)

# --- questions of customers

_THINGS = (
    *("washing machine", "coffee grinder", "bicycle", "keyboard", "winter jacket", "desk lamp", "garden hose", "tent"),
    *(
        "camera",
        "printer",
        "blender",
        "rucksack",
        "office chair",
        "headphones",
        "kettle",
        "router",
        "mattress",
        "drill",
    ),
    *(
        "sewing machine",
        "trampoline",
        "bookshelf",
        "electric scooter",
        "baby monitor",
        "projector",
        "air fryer",
        "guitar",
    ),
)
_EVENTS = (
    *(
        "arrived broken",
        "makes a strange noise",
        "never came",
        "has the wrong colour",
        "stopped working",
        "is too small",
    ),
    *("smells of plastic", "came without a manual", "does not switch on", "leaks water", "has a dent", "lost a screw"),
    *("runs hot", "won't connect to wifi", "was delivered to my neighbour", "shows error E42", "lacks the charger"),
)
_FRAMES = (
    "The {thing} of order {order} {event}, what now?",
    "I bought a {thing} on {date} and it {event}. Can I send it back?",
    "How long is the guarantee for a {thing} that {event}?",
    "My {thing} {event} after {days} days; do I get the {price} back?",
    "Invoice {invoice} says {price}, but the {thing} was cheaper in the shop on {date}",
    "Is there a newer firmware than {version} for the {thing}? Mine {event}",
    "Where is parcel {tracking}? The {thing} should have come between {time} and {time}",
    "Does the {thing} fit through a door of {days} x {days} cm? The last one {event}",
    "Which {thing} do you recommend if the old one {event}?",
    "Can somebody collect the {thing} on {date} at {time}? It {event}",
    "Do I need ISBN {isbn} or the leaflet to repair a {thing} that {event}?",
    "Customer {order} here again: the {thing} still {event}!",
)
_ANSWERS = (
    "We collect the {thing} within {days} days; the money is back after that.",
    "A {thing} has a guarantee of two years from the day of delivery.",
    "Please pack the {thing} with all its parts and put the label on the box.",
    "That depends on the model of the {thing}: look at the plate on its back.",
    "Parcels with a {thing} take up to {days} days; nothing is lost yet.",
    "Hold the button of the {thing} for {days} seconds, then try again.",
)


def _faq(chance: random.Random) -> tuple[str, str]:
    def filled(frame: str) -> str:
        parts = {
            "thing": thing,
            "event": event,
            "order": f"{chance.choice('67489')}{_digits(chance, 8)}",
            "date": f"{chance.randrange(1, 28)}/{chance.randrange(1, 12)}/20{chance.randrange(19, 26)}",
            "days": str(chance.randrange(2, 90)),
            "price": f"{chance.randrange(5, 900)}.{_digits(chance, 2)} €",
            "invoice": f"20{chance.randrange(19, 26)}-{_digits(chance, 6)}",
            "version": f"{chance.randrange(1, 12)}.{chance.randrange(9)}.{chance.randrange(40)}.{chance.randrange(99)}",
            "tracking": _digits(chance, 14),
            "time": f"{chance.randrange(8, 20)}:{chance.choice(('00', '15', '30'))}",
            "isbn": f"978-3-{_digits(chance, 2)}-{_digits(chance, 6)}-{_digits(chance, 1)}",
        }
        return frame.format(**parts)

    thing, event = chance.choice(_THINGS), chance.choice(_EVENTS)
    return filled(chance.choice(_FRAMES)), filled(chance.choice(_ANSWERS))
