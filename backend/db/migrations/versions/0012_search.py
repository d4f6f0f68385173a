"""one stage `search` for what were two"""

from alembic import op

from backend.db.words import rename_words

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    rename_words(op.get_bind())


def downgrade() -> None:
    """Nothing: an earlier version takes the new name for one of another package."""
