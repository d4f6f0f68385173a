"""A sentence that counts: its form for one and its form for any other number, declared together."""

from __future__ import annotations


class Plural(str):
    """The form for several, which is what it is as a text; `one`: the form for one; `by`: the argument that counts. It is the
    pair of gettext's ngettext: `one` is the msgid, the text itself the msgid_plural."""

    __slots__ = ("by", "one")
    one: str
    by: str


def plural(one: str, several: str, by: str = "count") -> Plural:
    found = Plural(several)
    found.one, found.by = one, by
    return found
