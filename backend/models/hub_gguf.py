"""GGUF files of a repository: one of them is a model, or several parts together are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backend.core.errors import StudioError
from backend.models.gguf_parts import numbered, part_names, refuse_absent
from backend.models.hub_views import GgufChoice, HubDetails, HubFile

_MOST = 40
_QUANTIZATION = re.compile(
    r"(?<![A-Z0-9])(I?Q\d(?:_(?:\d|[A-Z]{1,3}))*|TQ\d_\d|MXFP\d(?:_MOE)?|BF16|FP?16|FP?32)(?![A-Z0-9])", re.IGNORECASE
)


def gguf_choices(files: Sequence[HubFile]) -> list[GgufChoice]:
    """Smallest first. The parts of a split file are one choice; files of other parts of a model (`mmproj`) are none."""
    groups: dict[tuple[str, int], list[HubFile]] = {}
    for each in files:
        name = each.name.lower()
        if (
            name.endswith(".gguf")
            and "mmproj" not in name
            and not any(part in ("", ".", "..") for part in name.split("/"))
        ):
            part = numbered(each.name)
            groups.setdefault((part[0], part[2]) if part else (each.name, 1), []).append(each)
    made = []
    for group in groups.values():
        group.sort(key=lambda each: each.name)
        name = group[0].name
        found = _QUANTIZATION.findall(name.rpartition("/")[2])
        quantization = found[-1].upper() if found else ""
        size = sum(each.bytes for each in group)
        made.append(GgufChoice(name=name, quantization=quantization, files=group, bytes=size))
    return sorted(made, key=lambda each: each.bytes)


def only_gguf(known: HubDetails, name: str) -> HubDetails:
    """The repository with nothing but that GGUF file and the texts of its license. Raises StudioError for one that is not
    there, and, before anything is fetched, for one whose parts are not all there."""
    found = next((each for each in known.gguf if name in {file.name for file in each.files}), None)
    if found is None:
        listed = ", ".join(each.name for each in known.gguf[:_MOST]) or "–"
        raise StudioError("hub.gguf_missing", field="file", repo=known.repo, file=name, files=listed)
    here = {each.name for each in found.files}
    refuse_absent(name, [each for each in part_names(found.name) if each not in here])
    texts = [each for each in known.files if each.name.startswith(("LICENSE", "NOTICE", "README"))]
    files = [*found.files, *texts]
    return known.model_copy(update={"files": files, "bytes": sum(each.bytes for each in files)})
