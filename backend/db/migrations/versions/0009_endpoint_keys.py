"""whether the keyring keeps the key of an endpoint"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("endpoint", sa.Column("key_kept", sa.Boolean(), nullable=False, server_default=sa.false()))
