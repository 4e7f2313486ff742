"""Who answered, what was found out, what it cost"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def columns() -> dict[str, list[sa.Column]]:  # type: ignore[type-arg]
    """The new columns by table; rows that exist get what they would have been created with."""
    return {
        "tasks": [
            sa.Column("voicemail_policy", sa.String(40), nullable=False, server_default="HANG_UP"),
            sa.Column("max_call_seconds", sa.Integer(), nullable=False, server_default="900"),
            sa.Column("record_call", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("findings_wanted", sa.JSON(), nullable=False, server_default="[]"),
        ],
        "calls": [
            sa.Column("direction", sa.String(40), nullable=False, server_default="OUTBOUND"),
            sa.Column("answer_state", sa.String(40), nullable=True),
            sa.Column("brief_version", sa.String(20), nullable=False, server_default=""),
            sa.Column("usage", sa.JSON(), nullable=False, server_default="{}"),
            sa.Column("costs", sa.JSON(), nullable=False, server_default="{}"),
            sa.Column("cost_micros", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("measures", sa.JSON(), nullable=False, server_default="{}"),
            sa.Column("recording_sid", sa.String(64), nullable=True),
            sa.Column("recording_seconds", sa.Integer(), nullable=True),
            sa.Column("recording_file", sa.String(120), nullable=True),
        ],
    }


def upgrade() -> None:
    for table, new in columns().items():
        for column in new:
            op.add_column(table, column)
    op.create_table(
        "findings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("field", sa.String(80), nullable=False),
        sa.Column("value", sa.String(2000), nullable=False),
        sa.Column("quote", sa.String(1000), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("call_id", "field", name="findings_call_id_field_key"),
    )
    op.create_index("ix_findings_task_id", "findings", ["task_id"], unique=False)


def downgrade() -> None:
    op.drop_table("findings")
    for table, new in columns().items():
        for column in new:
            op.drop_column(table, column.name)
