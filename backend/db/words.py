"""Brings the names of stages and parameters in a database up to date (backend.core.renames); what is already so stays."""

import json
from typing import Any

import sqlalchemy as sa

from backend.core import renames


def rename_words(bind: sa.Connection) -> None:
    """In jobs, recipes of runs and drafts of forms."""
    columns: list[sa.ColumnClause[Any]] = [
        sa.column("id"),
        sa.column("stage"),
        sa.column("params", sa.JSON),
        sa.column("resolved", sa.JSON),
    ]
    job = sa.table("job", *columns)
    for id_, stage, params, resolved in bind.execute(sa.select(*job.c)).all():
        held = {"stage": stage, "params": params, "resolved": resolved}
        now = {"stage": renames.stage_name(stage), "params": renames.renamed(stage, params)}
        now |= {"resolved": renames.renamed(stage, resolved) if resolved else resolved}
        if now != held:
            bind.execute(sa.update(job).where(job.c.id == id_).values(**now))
    run = sa.table("run", sa.column("id"), sa.column("recipe", sa.JSON))
    for id_, recipe in bind.execute(sa.select(run.c.id, run.c.recipe)).all():
        stages = [_step(step) for step in recipe.get("stages", [])]
        if stages != recipe.get("stages", []):
            bind.execute(sa.update(run).where(run.c.id == id_).values(recipe={**recipe, "stages": stages}))
    setting = sa.table("setting", sa.column("key"), sa.column("value"))
    drafts = sa.select(setting.c.key, setting.c.value).where(setting.c.key.like("draft.%"))
    for key, value in bind.execute(drafts).all():
        head, _, stage = key.rpartition(".")
        told = renames.renamed(stage, json.loads(value))
        new = f"{head}.{renames.stage_name(stage)}"
        if (new, told) != (key, json.loads(value)):
            bind.execute(sa.delete(setting).where(setting.c.key == new, setting.c.key != key))
            bind.execute(sa.update(setting).where(setting.c.key == key).values(key=new, value=json.dumps(told)))


def _step(step: dict[str, Any]) -> dict[str, Any]:
    now = {"stage": renames.stage_name(step["stage"]), "params": renames.renamed(step["stage"], step.get("params", {}))}
    return {**step, **now}
