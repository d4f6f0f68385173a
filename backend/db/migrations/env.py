"""Alembic's entry: runs on the connection that `backend.db.database.migrate` hands over."""

from alembic import context

from backend.db.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
