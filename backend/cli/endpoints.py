"""`slmops endpoints`: list, add, show, test, delete, and the keys of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.output import line, note, print_json, table

if TYPE_CHECKING:
    from backend.core.endpoints import EndpointView

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Saved endpoints: list, add, show, test, delete.", no_args_is_help=True)
    for command in (add, show, test, delete):
        group.command(command.__name__)(command)
    group.command("list")(list_)
    keys = typer.Typer(help="The key of an endpoint, in this machine's keyring: set, delete.", no_args_is_help=True)
    keys.command("set")(set_key)
    keys.command("delete")(delete_key)
    group.add_typer(keys, name="key")
    app.add_typer(group, name="endpoints")


def list_(json_: _Json = False) -> None:
    """List saved endpoints by name. Keys are never shown."""
    from backend.api import Studio

    found = Studio.open().endpoints()
    if json_:
        return print_json(found)
    rows = [
        [
            one.name,
            one.preset,
            one.url,
            one.model,
            "keyring" if one.key_kept else one.key_env,
            one.input_price,
            one.output_price,
        ]
        + [{None: "", True: "yes", False: "no"}[one.trial.logprobs if one.trial else None]]
        for one in found
    ]
    table(["name", "service", "address", "model", "key in", "USD/M in", "USD/M out", "log-probabilities"], rows)
    return None


def add(
    name: str,
    model: Annotated[str, typer.Option(help="Model name at the service.")],
    preset: Annotated[
        str, typer.Option(help="Kind of service: openai, azure_foundry, vllm, ollama, other and more.")
    ] = "other",
    url: Annotated[str, typer.Option(help="Base URL. Default: the preset's.")] = "",
    key_env: Annotated[
        str | None, typer.Option(help="Environment variable with the key. Default: the preset's.")
    ] = None,
    api_version: Annotated[str | None, typer.Option(help="API version, for Azure. Default: the preset's.")] = None,
    input_price: Annotated[float | None, typer.Option(help="USD per million tokens read.")] = None,
    output_price: Annotated[float | None, typer.Option(help="USD per million tokens written.")] = None,
    context: Annotated[int, typer.Option(help="Maximum context length in tokens. 0: unknown.")] = 0,
    requests_per_minute: Annotated[int, typer.Option(help="Maximum requests per minute. 0: no limit.")] = 0,
    tokens_per_minute: Annotated[int, typer.Option(help="Maximum tokens per minute. 0: no limit.")] = 0,
    header: Annotated[
        list[str] | None,
        typer.Option(
            help="`Name: value`, sent with each request; a secret as `${NAME_API_KEY}` or `${key}`. Repeatable."
        ),
    ] = None,
    body: Annotated[str, typer.Option(help="JSON object whose fields are added to each request.")] = "",
    terms: Annotated[str, typer.Option(help="License and terms.")] = "",
    forbids_distillation: Annotated[
        str, typer.Option(help="Whether its terms forbid distillation: unknown, yes or no.")
    ] = "unknown",
    replace: Annotated[bool, typer.Option("--replace", help="Replace an existing endpoint of that name.")] = False,
) -> None:
    """Save an endpoint under a name. Set its key with `slmops endpoints key set NAME`."""
    from backend.api import Studio
    from backend.core.endpoints import PRESETS

    usual = {key: value for key, value in PRESETS.items() if key == preset}.get(preset)  # type: ignore[call-overload]
    values: dict[str, Any] = {
        "name": name,
        "preset": preset,
        "url": url or (usual.url if usual else ""),
        "model": model,
        "key_env": key_env if key_env is not None else (usual.key_env if usual else ""),
        "api_version": api_version if api_version is not None else (usual.api_version if usual else ""),
        "input_price": input_price,
        "output_price": output_price,
        "context": context,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "headers": "\n".join(header or []),
        "body": body,
        "terms": terms,
        "forbids_distillation": forbids_distillation,
    }
    studio = Studio.open()
    saved = studio.save_endpoint(values, new=not replace)
    for problem in studio.endpoint_warnings(values, saved.key_kept):
        note(f"Warning: {problem.sentence()}")
    note(f"Saved {saved.name}. Try it: slmops endpoints test {saved.name}")
    if usual:
        note(" ".join(part for part in (usual.terms, usual.terms_url) if part))


def show(name: str, json_: _Json = False) -> None:
    """Show an endpoint with its last test."""
    from backend.api import Studio

    found = Studio.open().endpoint(name)
    print_json(found) if json_ else _show(found)


def test(name: str, json_: _Json = False) -> None:
    """Test an endpoint with a short question: speed, context, log-probabilities, streaming, seed."""
    from backend.api import Studio

    trial = Studio.open().test_endpoint(name)
    if json_:
        return print_json(trial)
    rate = f", {trial.tokens_per_s:.1f} tokens/s" if trial.tokens_per_s else ""
    line(f"{name} answered in {trial.seconds:.2f} s{rate}: {trial.answer!r}")
    for what, found in (
        ("log-probabilities", trial.logprobs),
        ("streams", trial.streams),
        ("takes a seed", trial.seed),
    ):
        line(f"{what}: {'yes' if found else 'no'}")
    if trial.left_out:
        line(f"left out: {', '.join(trial.left_out)}")
    if trial.reasoning:
        line("reasoning: split off from the answer")
    line(f"context: {trial.context or 'not told'}")
    return None


def delete(name: str) -> None:
    """Delete an endpoint. Refused while a job is using it."""
    from backend.api import Studio

    Studio.open().delete_endpoint(name)
    note(f"Deleted {name}.")


def set_key(name: str) -> None:
    """Store a key in this machine's keyring. It is prompted for or read from standard input, never an argument."""
    import sys

    from backend.api import Studio

    studio = Studio.open()
    studio.endpoint(name)
    key = typer.prompt("Key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    studio.set_key(name, key.strip())
    note(f"The key of {name} is kept in the keyring. Try it: slmops endpoints test {name}")


def delete_key(name: str) -> None:
    """Delete a key from this machine's keyring."""
    from backend.api import Studio

    Studio.open().delete_key(name)
    note(f"Deleted the key of {name}.")


def _show(found: EndpointView) -> None:
    for key, value in found.model_dump().items():
        line(f"{key}: {value}")
