"""stages and parameters by their words of now (backend.core.renames, which only grows)"""

from alembic import op

from backend.db.words import rename_words

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    rename_words(op.get_bind())
