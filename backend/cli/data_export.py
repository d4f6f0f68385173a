"""`slmops datasets export`: a dataset as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.output import note


def export_dataset(
    ref: Annotated[str, typer.Argument(metavar="NAME", help="Name or id of a dataset.")],
    format: Annotated[
        str, typer.Option(help="csv, jsonl, parquet (all splits); openai, sharegpt, alpaca (one split).")
    ] = "jsonl",
    split: Annotated[str, typer.Option(help="train, validation or test, for formats with one split.")] = "train",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; - for stdout. Default: the dataset's name."),
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace the file if it exists.")] = False,
) -> None:
    """Export a dataset as CSV, JSON Lines, Parquet, OpenAI messages, ShareGPT or Alpaca."""
    from backend.api import Studio
    from backend.core.errors import StudioError

    studio = Studio.open()
    pieces = studio.export(ref, format, split)
    if str(output) == "-":
        stream = typer.get_binary_stream("stdout")
        for piece in pieces:
            stream.write(piece)
        return
    file = output or Path(studio.export_name(ref, format, split))
    if file.exists() and not force:
        raise StudioError("edits.file_there", field="output", file=file)
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("wb") as out:
            for piece in pieces:
                out.write(piece)
        partial.replace(file)
    except OSError as error:
        raise StudioError("edits.unwritable", field="output", file=file, reason=error.strerror or error) from None
    finally:
        partial.unlink(missing_ok=True)
    note(f"{file} is written.")
