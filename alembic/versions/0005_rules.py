"""Rules as data: calling hours, retries, and leave to ring outside hours"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RULED = ("users", "campaigns", "tasks")


def upgrade() -> None:
    for table in RULED:
        op.add_column(table, sa.Column("hours", sa.JSON(), nullable=True))
        op.add_column(table, sa.Column("retry_policy", sa.JSON(), nullable=True))
    op.add_column(
        "tasks", sa.Column("hours_waived_until", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("tasks", "hours_waived_until")
    for table in reversed(RULED):
        op.drop_column(table, "retry_policy")
        op.drop_column(table, "hours")
