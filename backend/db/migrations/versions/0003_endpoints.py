"""endpoints"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "endpoint",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("preset", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("key_env", sa.String(length=100), nullable=False),
        sa.Column("api_version", sa.String(length=40), nullable=False),
        sa.Column("input_price", sa.Float(), nullable=True),
        sa.Column("output_price", sa.Float(), nullable=True),
        sa.Column("context", number, nullable=False),
        sa.Column("requests_per_minute", number, nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("forbids_distillation", sa.String(length=10), nullable=False),
        sa.Column("trial", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
