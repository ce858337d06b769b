"""Alembic's entry point: runs on the connection that `storage.schema` hands over."""

from alembic import context

from acl_engine.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
context.run_migrations()
