"""Runs the migrations on the database that `sqlalchemy.url` names, inside one transaction."""

from alembic import context
from sqlalchemy import Connection, create_engine, event
from sqlmodel import SQLModel

import opendeep_app.models  # noqa: F401  (fills the metadata)

#: What makes words searchable differs by database and is no part of the models.
UNMODELLED = "task_words_index"


def _modelled(name: str | None, _kind: str, _parents: object) -> bool:
    return not (name or "").startswith(UNMODELLED)


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        include_name=_modelled,
    )
    with context.begin_transaction():
        context.run_migrations()


engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")
if engine.dialect.name == "sqlite":
    # Python's driver would commit before each schema change; one transaction keeps a
    # migration that fails from leaving half of itself behind.
    @event.listens_for(engine, "connect")
    def _no_implicit_begin(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection, connection.begin():
    _run(connection)
engine.dispose()
