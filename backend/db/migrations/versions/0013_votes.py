"""votes of the blind arena"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "vote",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("messages_a", sa.JSON(), nullable=False),
        sa.Column("messages_b", sa.JSON(), nullable=False),
        sa.Column("model_a", sa.String(length=80), nullable=False),
        sa.Column("model_b", sa.String(length=80), nullable=False),
        sa.Column("name_a", sa.String(length=200), nullable=False),
        sa.Column("name_b", sa.String(length=200), nullable=False),
        sa.Column("answer_a", sa.Text(), nullable=False),
        sa.Column("answer_b", sa.Text(), nullable=False),
        sa.Column("winner", sa.String(length=10), nullable=False),
        sa.Column("sampling", sa.JSON(), nullable=False),
        sa.Column("dataset", sa.String(length=80), nullable=False),
        sa.Column("row_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_vote_project_id", "vote", ["project_id"])


def downgrade() -> None:
    op.drop_table("vote")
