"""numbers, notes and tags of runs, tags of artifacts, the trash"""

from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("project", sa.Column("run_count", whole, nullable=False, server_default="0"))
    op.add_column("run", sa.Column("number", whole, nullable=False, server_default="0"))
    op.add_column("run", sa.Column("notes", sa.Text(), nullable=False, server_default=""))
    for table in ("run", "artifact"):
        op.add_column(table, sa.Column("tags", sa.Text(), nullable=False, server_default=""))
        op.add_column(table, sa.Column("trashed", sa.DateTime(timezone=True), nullable=True))
        op.create_index(f"ix_{table}_trashed", table, ["trashed"])
    _number_runs()


def _number_runs() -> None:
    """Those that are there in the order in which they began, from 1 in each project."""
    bind = op.get_bind()
    run = sa.table("run", *map(sa.column, ("id", "project_id", "created", "number")))
    project = sa.table("project", *map(sa.column, ("id", "run_count")))
    counts: Counter[str] = Counter()
    for id_, owner in bind.execute(sa.select(run.c.id, run.c.project_id).order_by(run.c.created, run.c.id)).all():
        counts[owner] += 1
        bind.execute(sa.update(run).where(run.c.id == id_).values(number=counts[owner]))
    for owner, count in counts.items():
        bind.execute(sa.update(project).where(project.c.id == owner).values(run_count=count))
