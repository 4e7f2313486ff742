"""What is due, and in whose turn, is found in the index alone"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WAITS = sa.text("status IN ('PENDING', 'RETRY_SCHEDULED')")


def _index(*columns: str) -> None:
    op.drop_index("tasks_due_idx", "tasks")
    op.create_index(
        "tasks_due_idx", "tasks", list(columns), sqlite_where=WAITS, postgresql_where=WAITS
    )


def upgrade() -> None:
    _index("next_action_at", "priority", "user_id", "phone_number", "id", "status")


def downgrade() -> None:
    _index("next_action_at")
