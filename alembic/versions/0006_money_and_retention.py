"""Budgets, the carrier's health, and how long things are kept"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CALLABLE = "status IN ('PENDING', 'RETRY_SCHEDULED')"
UNANALYSED = "status = 'ENDED' AND analysed_at IS NULL"


def columns() -> dict[str, list[sa.Column]]:  # type: ignore[type-arg]
    """The new columns by table; amounts are millionths of a US dollar."""
    return {
        "users": [
            sa.Column("daily_budget_micros", sa.BigInteger(), nullable=True),
            sa.Column("keep_transcripts_days", sa.Integer(), nullable=True),
            sa.Column("keep_recordings_days", sa.Integer(), nullable=True),
        ],
        "campaigns": [
            sa.Column("budget_micros", sa.BigInteger(), nullable=True),
            sa.Column("spent_micros", sa.BigInteger(), nullable=False, server_default="0"),
            sa.Column("reserved_micros", sa.BigInteger(), nullable=False, server_default="0"),
        ],
        "tasks": [
            sa.Column("budget_micros", sa.BigInteger(), nullable=True),
            sa.Column("spent_micros", sa.BigInteger(), nullable=False, server_default="0"),
            sa.Column("reserved_micros", sa.BigInteger(), nullable=False, server_default="0"),
            sa.Column("waits_for_budget", sa.Boolean(), nullable=False, server_default=sa.false()),
        ],
        "calls": [
            sa.Column("reserved_micros", sa.BigInteger(), nullable=False, server_default="0"),
            sa.Column("reserved_on", sa.String(10), nullable=False, server_default=""),
            sa.Column("transcript_deleted_at", sa.DateTime(timezone=True), nullable=True),
        ],
    }


def upgrade() -> None:
    for table, new in columns().items():
        for column in new:
            op.add_column(table, column)
    op.create_table(
        "daily_spending",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("spent_micros", sa.BigInteger(), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "day"),
    )
    op.create_table(
        "carrier_health",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_call_id", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO carrier_health (id, failures, trips, reason) VALUES (1, 0, 0, '')")
    op.drop_index("tasks_due_idx", "tasks")
    op.create_index(
        "tasks_due_idx",
        "tasks",
        ["next_action_at"],
        sqlite_where=sa.text(CALLABLE),
        postgresql_where=sa.text(CALLABLE),
    )
    op.create_index("tasks_status_idx", "tasks", ["status", "updated_at"])
    op.create_index("tasks_number_idx", "tasks", ["phone_number"])
    op.create_index("calls_number_idx", "calls", ["phone_number", "created_at"])
    op.create_index(
        "calls_unanalysed_idx",
        "calls",
        ["ended_at"],
        sqlite_where=sa.text(UNANALYSED),
        postgresql_where=sa.text(UNANALYSED),
    )
    op.create_index("calls_ended_idx", "calls", ["ended_at"])


def downgrade() -> None:
    op.drop_index("calls_ended_idx", "calls")
    op.drop_index("calls_unanalysed_idx", "calls")
    op.drop_index("calls_number_idx", "calls")
    op.drop_index("tasks_number_idx", "tasks")
    op.drop_index("tasks_status_idx", "tasks")
    op.drop_index("tasks_due_idx", "tasks")
    op.create_index("tasks_due_idx", "tasks", ["status", "next_action_at"])
    op.drop_table("carrier_health")
    op.drop_table("daily_spending")
    for table, new in columns().items():
        for column in new:
            op.drop_column(table, column.name)
