"""Full-text search and saved views

The words of every task are cut by the application (`models.task_words`) and only indexed here.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from opendeep_app.models.task_words import words_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 500

# The table keeps the words, the index only points at them; positions are not needed, because
# nobody searches for phrases.
INDEX = {
    "sqlite": [
        "CREATE VIRTUAL TABLE task_words_index USING fts5(words, content='task_words', "
        "content_rowid='id', detail=none, columnsize=0, tokenize='ascii', prefix='9 10 11')",
        "CREATE TRIGGER task_words_added AFTER INSERT ON task_words BEGIN "
        "INSERT INTO task_words_index (rowid, words) VALUES (new.id, new.words); END",
        "CREATE TRIGGER task_words_removed AFTER DELETE ON task_words BEGIN "
        "INSERT INTO task_words_index (task_words_index, rowid, words) "
        "VALUES ('delete', old.id, old.words); END",
        "CREATE TRIGGER task_words_changed AFTER UPDATE OF words ON task_words "
        "WHEN old.words <> new.words BEGIN "
        "INSERT INTO task_words_index (task_words_index, rowid, words) "
        "VALUES ('delete', old.id, old.words); "
        "INSERT INTO task_words_index (rowid, words) VALUES (new.id, new.words); END",
    ],
    "postgresql": [
        "CREATE INDEX task_words_index ON task_words USING gin "
        "(array_to_tsvector(string_to_array(ltrim(words), ' ')))",
    ],
}

FILTERED = ["status", "last_outcome", "created_at"]
INDEXES = {
    "tasks_user_created_idx": ["user_id", "created_at", "id", "status", "last_outcome"],
    "tasks_user_updated_idx": ["user_id", "updated_at", "id", *FILTERED],
    "tasks_user_priority_idx": ["user_id", "priority", "id", *FILTERED],
    "tasks_user_status_created_idx": [
        *("user_id", "status", "created_at", "id", "last_outcome", "updated_at", "priority")
    ],
}
BEFORE = {
    "tasks_user_created_idx": ["user_id", "created_at", "id"],
    "tasks_user_updated_idx": ["user_id", "updated_at", "id"],
    "tasks_user_status_created_idx": ["user_id", "status", "created_at", "id"],
}


def upgrade() -> None:
    op.add_column("tasks", sa.Column("last_outcome", sa.String(40), nullable=True))
    op.execute(
        "UPDATE tasks SET last_outcome = (SELECT outcome FROM calls WHERE calls.task_id = tasks.id "
        "AND outcome IS NOT NULL ORDER BY attempt_number DESC LIMIT 1) "
        "WHERE current_attempt_count > 0"
    )
    for name in BEFORE:
        op.drop_index(name, "tasks")
    for name, columns in INDEXES.items():
        op.create_index(name, "tasks", columns)
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("query", sa.String(1000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "name", name="saved_views_user_id_name_key"),
    )
    words = op.create_table(
        "task_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(36), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id"),
    )
    connection = op.get_bind()
    for statement in INDEX[connection.dialect.name]:
        op.execute(statement)
    last = ""
    while rows := _tasks(connection, last):
        op.bulk_insert(
            words, [{"task_id": row.id, "words": _words(connection, row)} for row in rows]
        )
        last = rows[-1].id


def _tasks(connection: sa.Connection, after: str) -> list[Any]:
    return list(
        connection.execute(
            sa.text(
                "SELECT id, user_id, phone_number, contact_name, goal, context, result_summary "
                "FROM tasks WHERE id > :after ORDER BY id LIMIT :most"
            ),
            {"after": after, "most": BATCH},
        )
    )


def _words(connection: sa.Connection, task: Any) -> str:
    lines = connection.execute(
        sa.text(
            "SELECT l.text FROM transcript_lines l JOIN calls c ON c.id = l.call_id "
            "WHERE c.task_id = :task_id ORDER BY l.id"
        ),
        {"task_id": task.id},
    )
    texts = [task.contact_name, task.goal, task.context, task.result_summary]
    return words_of(task.user_id, task.phone_number, [*texts, *lines.scalars()])


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE task_words_index")
    op.drop_table("task_words")
    op.drop_table("saved_views")
    for name in INDEXES:
        op.drop_index(name, "tasks")
    for name, columns in BEFORE.items():
        op.create_index(name, "tasks", columns)
    op.drop_column("tasks", "last_outcome")
