"""projects in the trash"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("project", sa.Column("trashed", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back come the projects of the trash, with what went there together with them: nothing else would show them."""
    project = sa.table("project", *map(sa.column, ("id", "trashed")))
    for name in ("run", "artifact"):
        held = sa.table(name, *map(sa.column, ("project_id", "trashed")))
        its = sa.select(project.c.trashed).where(project.c.id == held.c.project_id).scalar_subquery()
        op.get_bind().execute(sa.update(held).where(held.c.trashed == its).values(trashed=None))
    op.drop_column("project", "trashed")
