"""The first tables

The history is append-only: a trigger refuses changes to written events, on both databases.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = {
    "sqlite": [
        "CREATE TRIGGER task_events_append_only BEFORE UPDATE ON task_events "
        "BEGIN SELECT RAISE(ABORT, 'task_events is append-only'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'task_events is append-only'; END $$",
        "CREATE TRIGGER task_events_append_only BEFORE UPDATE ON task_events "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ],
}


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=True),
        sa.Column("mobile_number", sa.String(20), nullable=True),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email", name="users_email_key"),
    )
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash", name="access_tokens_token_hash_key"),
    )
    op.create_index("ix_access_tokens_user_id", "access_tokens", ["user_id"], unique=False)

    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("goal", sa.String(4000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_campaigns_user_id", "campaigns", ["user_id"], unique=False)

    op.create_table(
        "do_not_call",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("phone_number", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "phone_number", name="do_not_call_user_id_phone_number_key"),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("campaign_id", sa.String(length=36), nullable=True),
        sa.Column("phone_number", sa.String(20), nullable=False),
        sa.Column("contact_name", sa.String(120), nullable=False),
        sa.Column("goal", sa.String(4000), nullable=False),
        sa.Column("context", sa.String(8000), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("current_attempt_count", sa.Integer(), nullable=False),
        sa.Column("next_action_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_action_reason", sa.String(500), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("info_timeout_seconds", sa.Float(), nullable=True),
        sa.Column("result_summary", sa.String(4000), nullable=False),
        sa.Column("result_reason", sa.String(500), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=True),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status IN ('PENDING', 'RETRY_SCHEDULED')) = (next_action_at IS NOT NULL)",
            name="tasks_next_action_check",
        ),
        sa.CheckConstraint("current_attempt_count >= 0", name="tasks_attempts_check"),
        sa.CheckConstraint("max_attempts BETWEEN 1 AND 20", name="tasks_max_attempts_check"),
        sa.CheckConstraint("priority BETWEEN -100 AND 100", name="tasks_priority_check"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "idempotency_key", name="tasks_user_id_idempotency_key_key"),
    )
    op.create_index("ix_tasks_campaign_id", "tasks", ["campaign_id"], unique=False)
    op.create_index("tasks_due_idx", "tasks", ["status", "next_action_at"], unique=False)
    op.create_index(
        "tasks_user_created_idx", "tasks", ["user_id", "created_at", "id"], unique=False
    )
    op.create_index("tasks_user_number_idx", "tasks", ["user_id", "phone_number"], unique=False)
    op.create_index(
        "tasks_user_status_created_idx",
        "tasks",
        ["user_id", "status", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "tasks_user_updated_idx", "tasks", ["user_id", "updated_at", "id"], unique=False
    )

    op.create_table(
        "calls",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("attempt_number", sa.Integer(), nullable=False),
        sa.Column("phone_number", sa.String(20), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=True),
        sa.Column("ended_by", sa.String(40), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=False),
        sa.Column("carrier_sid", sa.String(64), nullable=True),
        sa.Column("carrier_error", sa.Integer(), nullable=True),
        sa.Column("answered_by", sa.String(40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dialled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("brief", sa.String(), nullable=False),
        sa.Column("gateway_id", sa.String(64), nullable=True),
        sa.Column("session_opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("callback_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("callback_reason", sa.String(500), nullable=False),
        sa.Column("analysis", sa.JSON(), nullable=True),
        sa.Column("analysed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("carrier_sid", name="calls_carrier_sid_key"),
        sa.UniqueConstraint("task_id", "attempt_number", name="calls_task_id_attempt_number_key"),
    )
    op.create_index(
        "calls_live_idx",
        "calls",
        ["status", "created_at"],
        unique=False,
        sqlite_where=sa.text("status IN ('INTENT', 'DIALLING', 'RINGING', 'ANSWERED')"),
        postgresql_where=sa.text("status IN ('INTENT', 'DIALLING', 'RINGING', 'ANSWERED')"),
    )
    op.create_index(
        "calls_one_live_per_number_idx",
        "calls",
        ["phone_number"],
        unique=True,
        sqlite_where=sa.text("status IN ('INTENT', 'DIALLING', 'RINGING', 'ANSWERED')"),
        postgresql_where=sa.text("status IN ('INTENT', 'DIALLING', 'RINGING', 'ANSWERED')"),
    )

    op.create_table(
        "info_requests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("function_call_id", sa.String(64), nullable=False),
        sa.Column("question", sa.String(1000), nullable=False),
        sa.Column("recipient_message", sa.String(1000), nullable=False),
        sa.Column("suggestions", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("timeout_seconds", sa.Float(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(2000), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_via", sa.String(20), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "call_id",
            "function_call_id",
            name="info_requests_call_id_function_call_id_key",
        ),
    )
    op.create_index(
        "info_requests_status_deadline_idx",
        "info_requests",
        ["status", "deadline_at"],
        unique=False,
    )
    op.create_index(
        "info_requests_user_status_idx",
        "info_requests",
        ["user_id", "status", "deadline_at"],
        unique=False,
    )
    op.create_index("ix_info_requests_task_id", "info_requests", ["task_id"], unique=False)

    op.create_table(
        "task_events",
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=True),
        sa.Column("from_status", sa.String(40), nullable=True),
        sa.Column("to_status", sa.String(40), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id", "sequence", name="task_events_task_id_sequence_key"),
    )
    op.create_index("ix_task_events_call_id", "task_events", ["call_id"], unique=False)
    op.create_index(
        "task_events_type_created_idx",
        "task_events",
        ["type", "created_at"],
        unique=False,
    )

    op.create_table(
        "transcript_lines",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("speaker", sa.String(40), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(64), nullable=False),
        sa.Column("offset_ms", sa.Integer(), nullable=False),
        sa.Column("heard_ms", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("call_id", "sequence", name="transcript_lines_call_id_sequence_key"),
    )

    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("transcript_lines")

    op.drop_table("task_events")

    op.drop_table("info_requests")

    op.drop_table("calls")

    op.drop_table("tasks")
    op.drop_table("do_not_call")

    op.drop_table("campaigns")

    op.drop_table("access_tokens")
    op.drop_table("users")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
