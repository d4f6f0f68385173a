"""Recipes: a YAML list of stages whose inputs name earlier outputs (`${id}`), checked as a whole before anything starts.

name: quickstart
seed: 42
stages:
  - {id: data, stage: dataset, params: {source: "demo:smart-home"}}
  - {id: tuned, stage: finetune, params: {model: smollm2-135m-instruct, data: "${data}"}}

Steps that repeat are written once, in a block with `for`:

  - for: {seed: [1, 2], size: {small: {rank: 4}, large: {rank: 32, alpha: 64}}}
    stages:
      - {id: "{size}-{seed}", stage: finetune, seed: "{seed}", with: size, params: {model: "${base}", data: "${data}"}}
      - {id: "{size}-{seed}-eval", stage: evaluate, params: {model: "${{size}-{seed}}", data: "${data}"}}

It becomes its steps once for every combination, the first axis varying slowest: small-1, small-1-eval, large-1, ... An axis is
a list of values, or names with the parameters of each, which go over those of every step that says `with: size`. `{axis}` is
replaced wherever it stands in a text; a text that is nothing else takes the value's type (`seed: "{seed}"` is a number). Every
id names every axis. Other braces stay. From there on it is as if all steps were written out: `--set small-1.rank=8` changes
one, and a run keeps them one by one.

A step with `after: [check]` starts when the steps named there have ended well, whose results it does not take.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from backend import stages
from backend.core.errors import Problem, StudioError
from backend.core.fields import is_file
from backend.core.paths import absolute
from backend.core.refs import referenced_ids
from backend.core.renames import implied, old_words, stage_name
from backend.core.stage import Params
from backend.core.validation import value_problems
from backend.planning import matrix

SEED = 42
"""Of a recipe that names none."""


class RecipeStage(BaseModel):
    """One stage of a recipe. `seed`: one of its own in place of the recipe's. `after`: stages that it waits for beside those
    whose results it takes."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")
    stage: str
    seed: int | None = None
    after: list[str] = []
    params: dict[str, Any] = {}
    _written: str = PrivateAttr("")
    _implied: dict[str, Any] = PrivateAttr({})

    def model_post_init(self, _context: Any) -> None:
        """A stage is known by its name of now, and says what its name of before did."""
        self._written, self._implied = self.stage, implied(self.stage, self.params)
        self.stage = stage_name(self.stage)
        self.params = self._implied | self.params

    @property
    def needs(self) -> set[str]:
        """The stages that have to end before it starts."""
        return referenced_ids(self.params) | set(self.after)

    @property
    def old_words(self) -> list[tuple[str, str]]:
        """(old, new) of what it calls by the name of an earlier version."""
        told = [(self._written, f"{self.stage} ({field}: {value})") for field, value in self._implied.items()]
        told = told or [(self._written, self.stage)] * (self._written != self.stage)
        return told + old_words(self.stage, self.params)


class Recipe(BaseModel):
    """A whole run. `seed` is handed to every stage that has none of its own."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    seed: int = SEED
    stages: list[RecipeStage] = Field(min_length=1)

    def ordered(self) -> list[RecipeStage]:
        """The stages as they are written, but each after those that it needs. Call after `problems`."""
        left, done, found = list(self.stages), set[str](), list[RecipeStage]()
        while left:
            step = next(step for step in left if step.needs <= done)
            left.remove(step)
            done.add(step.id)
            found.append(step)
        return found

    def seed_of(self, step: RecipeStage) -> int:
        return self.seed if step.seed is None else step.seed

    def parsed(self, step: RecipeStage) -> Params:
        parsed: Params = stages.stage(step.stage).parse(step.params)
        return parsed

    def problems(self) -> list[Problem]:
        """All that is wrong without looking at the store: names, keys, types, references, cycles."""
        found = [problem for step in self.stages for problem in _stage_problems(step)]
        ids = [step.id for step in self.stages]
        found += [
            Problem(code="recipe.twice", args={"id": id_}) for id_ in sorted({i for i in ids if ids.count(i) > 1})
        ]
        for step in self.stages:
            for missing in sorted(referenced_ids(step.params) - set(ids)):
                args = {"ref": missing, "ids": ", ".join(ids)}
                found.append(Problem(code="recipe.unknown_ref", args=args, stage=step.id))
            for missing in sorted(set(step.after) - set(ids)):
                args = {"id": missing, "ids": ", ".join(ids)}
                found.append(Problem(code="recipe.unknown_after", args=args, stage=step.id, field="after"))
        try:
            TopologicalSorter({step.id: step.needs for step in self.stages}).prepare()
        except CycleError as error:
            found.append(Problem(code="recipe.cycle", args={"path": " → ".join(reversed(error.args[1]))}))
        return found


def load(path: Path, overrides: dict[str, str] | None = None) -> Recipe:
    """Read a recipe file, apply `--set` overrides and check it. Raises StudioError with every problem at once."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise StudioError("recipe.missing", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError("recipe.unreadable", file=path, reason=error) from error
    except yaml.YAMLError as error:
        raise StudioError("recipe.yaml", file=path, reason=" ".join(str(error).split())) from error
    return build(content, overrides, path.parent)


def build(content: Any, overrides: dict[str, str] | None = None, folder: Path | None = None) -> Recipe:
    """A checked recipe from plain data, whose files are meant from `folder`; those of `overrides`, from where the caller is.
    Raises StudioError with every problem at once."""
    content, places = matrix.expand(content)
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise StudioError.of(matrix.written_at(value_problems(error, whole="recipe"), places)) from None
    if folder is not None:
        for step in recipe.stages:
            _meant_from(folder, step)
    found = _override(recipe, overrides or {}) + recipe.problems()
    if found:
        raise StudioError.of(found)
    return recipe


def dump(content: dict[str, Any]) -> str:
    """YAML of a recipe's plain data, keys in the order of writing."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _meant_from(folder: Path, step: RecipeStage) -> None:
    """Files that a recipe names lie where the recipe does, whoever runs it and from where."""
    fields = stages.stage(step.stage).params.model_fields if step.stage in stages.names() else {}
    for name in fields:
        value = step.params.get(name)
        if is_file(fields[name]) and isinstance(value, str) and value and not value.startswith(("demo:", "~", "${")):
            step.params[name] = str(absolute(folder / value))


def _stage_problems(step: RecipeStage) -> list[Problem]:
    if step.stage not in stages.names():
        args = {"name": step.stage, "names": ", ".join(stages.names())}
        return [Problem(code="recipe.unknown_stage", args=args, stage=step.id)]
    try:
        stages.stage(step.stage).parse(step.params)
    except StudioError as error:
        return [problem.model_copy(update={"stage": step.id}) for problem in error.problems]
    return []


def _override(recipe: Recipe, overrides: dict[str, str]) -> list[Problem]:
    """Apply `seed=n`, `id.seed=n` and `id.param=value` (the value is read as YAML); returns what could not be applied."""
    steps = {step.id: step for step in recipe.stages}
    found = []
    for key, text in overrides.items():
        step_id, _, name = key.partition(".")
        if key == "seed":
            found += _set_seed(recipe, key, text)
        elif step_id in steps and name == "seed":
            found += _set_seed(steps[step_id], key, text)
        elif step_id not in steps or not name:
            found.append(Problem(code="recipe.set_unknown", args={"key": key, "ids": ", ".join(steps)}))
        else:
            steps[step_id].params[name] = _value(steps[step_id].stage, name, text)
    return found


def _set_seed(target: Recipe | RecipeStage, key: str, text: str) -> list[Problem]:
    if not text.isdigit():
        return [Problem(code="recipe.set_seed", args={"key": key, "text": text})]
    target.seed = int(text)
    return []


def _value(stage: str, name: str, text: str) -> Any:
    """The text itself for a text parameter (a column may be called `no` or `1`), else what YAML makes of it."""
    fields = stages.stage(stage).params.model_fields if stage in stages.names() else {}
    if name in fields and str in (fields[name].annotation, *get_args(fields[name].annotation)):
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
