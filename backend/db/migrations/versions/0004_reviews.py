"""reviews"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("dataset", sa.String(length=80), nullable=False),
        sa.Column("row_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("rating", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["artifact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dataset", "row_id"),
    )
    op.create_index("ix_review_at", "review", ["at"])
