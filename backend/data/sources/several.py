"""Several files read as one: members of an archive or folder, with their split or name as a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import Record, RowErrors
from backend.data.sources.names import free_name
from backend.data.sources.options import SourceFacts
from backend.data.sources.source import Source


@dataclass
class Member:
    """`split`: what its name tells, "" for nothing."""

    name: str
    source: Source
    split: str = ""


class MemberErrors(RowErrors):
    """Row errors of one member: counted with the others, their places with the member's name."""

    def __init__(self, all_errors: RowErrors, member: str) -> None:
        super().__init__(all_errors.file, all_errors.counts, all_errors.places, all_errors.about)
        self.member = member

    def add(self, code: str, place: int | str, found: object = "", **about: Any) -> None:
        super().add(code, f"{self.member}:{place}", found, **about)


class MembersSource:
    """`unpacked`: the folder that goes with the source. Raises StudioError where the members' columns differ and no split
    tells how they belong together."""

    def __init__(
        self, path: Path, name: str, members: list[Member], facts: SourceFacts, unpacked: TemporaryDirectory[str] | None
    ) -> None:
        self.path, self.facts, self._members, self._unpacked = path, facts, members, unpacked
        facts.members = [member.name for member in members]
        columns: dict[str, None] = {}
        for member in members:
            columns |= dict.fromkeys(member.source.columns)
        self._added = ""
        splits = {member.split for member in members}
        if len(members) > 1 and "" in splits and any(set(member.source.columns) != set(columns) for member in members):
            choices = [member.name for member in members[:20]]
            listed = ", ".join(choices)
            raise StudioError("data.members_several", field="records", file=name, members=listed, choices=choices)
        if len(members) > 1 and (len(splits) > 1 or "" in splits):
            told = "" not in splits
            self._added = free_name("split" if told else "file", set(columns))
            facts.split_column = self._added if told else facts.split_column
            code = "data.members_split" if told else "data.members_together"
            args = {"file": name, "count": len(members), "column": self._added}
            facts.notes.append(Problem(code=code, args=args, blocking=False))
        self.columns = [self._added, *columns] if self._added else list(columns)

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """The rows of one member after the other. Places go on counting, since they become the rows' ids."""
        passed = last = 0
        for member in self._members:
            several = len(self._members) > 1
            errors = MemberErrors(row_errors, member.name) if several else row_errors
            added = member.split if self.facts.split_column == self._added else member.name
            for record in member.source.records(errors):
                last = passed + record.place
                values = {self._added: added, **record.values} if self._added else record.values
                yield Record(last, values)
            passed = last

    def count(self) -> int:
        return sum(member.source.count() for member in self._members)
