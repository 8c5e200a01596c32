"""Runs migrations on the connection that `watchgate.catalog.migration` hands over.

The transaction is the caller's: a migration that fails leaves the catalog as it was. SQLite can undo
DDL once its driver does not commit behind our back (see `watchgate.catalog.sqlite`).
"""

from __future__ import annotations

from alembic import context

from watchgate.catalog.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
