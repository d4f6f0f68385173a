"""tokens per minute, headers and body fields of endpoints"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("endpoint", sa.Column("tokens_per_minute", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("endpoint", sa.Column("headers", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("endpoint", sa.Column("body", sa.JSON(), nullable=False, server_default="{}"))
