"""Kinds and figures of artifacts as people read them."""

from __future__ import annotations

from backend.core.schemas import ArtifactView, Kind
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import Colour, ago, count_text, decimal, escape_markdown, format_size
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project_label

ICONS: dict[Kind, tuple[str, Colour]] = {
    Kind.MODEL: (":material/deployed_code:", "blue"),
    Kind.ADAPTER: (":material/extension:", "violet"),
    Kind.ONNX: (":material/bolt:", "green"),
    Kind.CAPTURE: (":material/lens_blur:", "gray"),
    Kind.PACKAGE: (":material/package_2:", "gray"),
}


def facts_line(view: ArtifactView) -> str:
    """`92.4 MB · 134.5 M parameters · INT4 · Apache-2.0 · 3 hours ago`, and the project where there are several."""
    parts = [format_size(view.size_bytes)]
    if view.facts.get("parameters"):
        parts.append(_("{count} parameters").format(count=short_count(view.facts["parameters"])))
    if view.facts.get("precision"):
        parts.append(escape_markdown(str(view.facts["precision"])).upper())
    if view.facts.get("run") is False:
        parts.append(_("not run here"))
    parts += [escape_markdown(view.license or _("license unknown")), ago(view.created)]
    projects = api_cache.projects()
    if len(projects) > 1:
        parts += [escape_markdown(project_label(each)) for each in projects if each.id == view.project]
    return " · ".join(parts)


def short_count(count: float) -> str:
    """`134515008` -> `134.5 M`, `7241732096` -> `7.2 B`."""
    share, unit = (count / 1e9, "B") if count >= 1e9 else (count / 1e6, "M")
    return f"{decimal(share, 1, 1)} {unit}"


def format_count(count: float) -> str:
    """`49152` -> `49,152`."""
    return count_text(count)
