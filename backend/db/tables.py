"""Tables. Times are UTC; JSON columns hold what has no query on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, Integer, String, Text, TypeDecorator, false
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Utc(TypeDecorator[datetime]):
    """A UTC time: SQLite forgets time zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
        datetime: Utc,
        int: BigInteger().with_variant(Integer, "sqlite"),
    }


class Project(Base):
    """`run_count`: the number of its last run; numbers are never given twice. `trashed`: when it went to the trash; what went
    with it has the same time."""

    __tablename__ = "project"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    run_count: Mapped[int] = mapped_column(default=0)
    trashed: Mapped[datetime | None] = mapped_column(default=None)
    created: Mapped[datetime] = mapped_column(default=now)


class Artifact(Base):
    """`tags`: one a line, with a line break before the first and after the last; `trashed`: when it went to the trash."""

    __tablename__ = "artifact"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    job_id: Mapped[str | None] = mapped_column(String(40), index=True)
    path: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]
    license: Mapped[str | None] = mapped_column(String(100))
    tags: Mapped[str] = mapped_column(Text, default="")
    trashed: Mapped[datetime | None] = mapped_column(default=None, index=True)
    created: Mapped[datetime] = mapped_column(default=now)


class Parent(Base):
    """`child` was made from `parent`."""

    __tablename__ = "artifact_parent"
    child: Mapped[str] = mapped_column(ForeignKey("artifact.id", ondelete="CASCADE"), primary_key=True)
    parent: Mapped[str] = mapped_column(ForeignKey("artifact.id"), primary_key=True, index=True)


class Run(Base):
    """`number` counts within its project, from 1; `tags` and `trashed` as those of an artifact."""

    __tablename__ = "run"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    recipe: Mapped[dict[str, Any]]
    number: Mapped[int] = mapped_column(default=0)
    notes: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[str] = mapped_column(Text, default="")
    trashed: Mapped[datetime | None] = mapped_column(default=None, index=True)
    created: Mapped[datetime] = mapped_column(default=now, index=True)


class Job(Base):
    """A stage to run. `params` may hold `${id}`; `resolved` are the parameters that the child got."""

    __tablename__ = "job"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    stage_id: Mapped[str] = mapped_column(String(80))
    stage: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, Any]]
    resolved: Mapped[dict[str, Any] | None]
    needs: Mapped[list[str]]
    seed: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(20), index=True)
    queue: Mapped[str] = mapped_column(String(20))
    priority: Mapped[int] = mapped_column(default=5)
    position: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    dispatch: Mapped[int] = mapped_column(default=0)
    done: Mapped[float] = mapped_column(default=0.0)
    total: Mapped[float] = mapped_column(default=0.0)
    note: Mapped[str] = mapped_column(Text, default="")
    eta_seconds: Mapped[float | None]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    quote: Mapped[dict[str, Any] | None]
    seconds: Mapped[float | None]
    peak_memory_bytes: Mapped[int | None]
    others_share: Mapped[float | None]
    worker: Mapped[str | None] = mapped_column(String(80))
    pid: Mapped[int | None]
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]

    __table_args__ = (Index("job_next", "state", "queue", "priority", "created"),)


class MetricPoint(Base):
    __tablename__ = "metric_point"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    step: Mapped[float]
    value: Mapped[float]
    at: Mapped[datetime] = mapped_column(default=now)


class LogLine(Base):
    __tablename__ = "log_line"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    level: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=now)


class Worker(Base):
    """A live worker process; a row whose beat is old belongs to a dead one."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    host: Mapped[str] = mapped_column(String(200))
    pid: Mapped[int]
    queues: Mapped[list[str]]
    beat: Mapped[datetime] = mapped_column(default=now)


class QueueState(Base):
    """A queue that somebody paused."""

    __tablename__ = "queue_state"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    paused: Mapped[bool] = mapped_column(default=False)


class Change(Base):
    """How often a table was written (backend.db.changes)."""

    __tablename__ = "change"
    topic: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int]


class Notice(Base):
    """The end of a run that a target is told of: `due` is the next try, None when nothing is left to do."""

    __tablename__ = "notice"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    ended: Mapped[datetime] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(String(100), primary_key=True)
    tries: Mapped[int] = mapped_column(default=0)
    due: Mapped[datetime | None] = mapped_column(index=True)


class Setting(Base):
    """One choice of the user's that outlives a browser tab."""

    __tablename__ = "setting"
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Endpoint(Base):
    """A saved endpoint (backend.core.endpoints); `trial` is what its last test showed, `key_kept` whether the keyring has its
    key."""

    __tablename__ = "endpoint"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    preset: Mapped[str] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(String(500))
    model: Mapped[str] = mapped_column(String(200))
    key_env: Mapped[str] = mapped_column(String(100))
    api_version: Mapped[str] = mapped_column(String(40))
    input_price: Mapped[float | None]
    output_price: Mapped[float | None]
    context: Mapped[int]
    requests_per_minute: Mapped[int]
    tokens_per_minute: Mapped[int] = mapped_column(default=0, server_default="0")
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    body: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    terms: Mapped[str] = mapped_column(Text)
    forbids_distillation: Mapped[str] = mapped_column(String(10))
    trial: Mapped[dict[str, Any] | None]
    key_kept: Mapped[bool] = mapped_column(default=False, server_default=false())


class Review(Base):
    """What people say of one teacher's answer; the last word counts. `decision` is None where it was taken back."""

    __tablename__ = "review"
    dataset: Mapped[str] = mapped_column(ForeignKey("artifact.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[str] = mapped_column("row_id", Text, primary_key=True)
    decision: Mapped[str | None] = mapped_column(String(10))
    output: Mapped[str | None] = mapped_column(Text)
    rating: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(default=now, index=True)


class Vote(Base):
    """Which of two answers somebody preferred, without knowing whose they are (backend.data.votes). Models are kept by id and
    name, so that a vote is readable when they have gone."""

    __tablename__ = "vote"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    prompt: Mapped[str] = mapped_column(Text)
    messages_a: Mapped[list[dict[str, Any]]]
    messages_b: Mapped[list[dict[str, Any]]]
    model_a: Mapped[str] = mapped_column(String(80))
    model_b: Mapped[str] = mapped_column(String(80))
    name_a: Mapped[str] = mapped_column(String(200))
    name_b: Mapped[str] = mapped_column(String(200))
    answer_a: Mapped[str] = mapped_column(Text)
    answer_b: Mapped[str] = mapped_column(Text)
    winner: Mapped[str] = mapped_column(String(10))
    sampling: Mapped[dict[str, Any]]
    dataset: Mapped[str] = mapped_column(String(80), default="")
    row: Mapped[str] = mapped_column("row_id", Text, default="")
    at: Mapped[datetime] = mapped_column(default=now)
