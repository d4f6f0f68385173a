"""changes and notices"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("topic", sa.String(length=40), primary_key=True),
        sa.Column("version", _INT, nullable=False),
    )
    op.create_table(
        "notice",
        sa.Column("run_id", sa.String(length=40), sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("ended", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("target", sa.String(length=100), primary_key=True),
        sa.Column("tries", _INT, nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("ix_notice_due", "notice", ["due"])
    op.add_column("job", sa.Column("others_share", sa.Float(), nullable=True))
