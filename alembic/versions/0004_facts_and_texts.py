"""Facts that answer questions, and questions by text message"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LINK = "access_tokens_info_request_id_fkey"


def upgrade() -> None:
    op.add_column("users", sa.Column("texts_stopped_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("access_tokens") as tokens:
        tokens.add_column(sa.Column("info_request_id", sa.String(36), nullable=True))
        tokens.create_foreign_key(
            LINK, "info_requests", ["info_request_id"], ["id"], ondelete="CASCADE"
        )
    op.create_table(
        "facts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column("phone_number", sa.String(20), nullable=True),
        sa.Column("campaign_id", sa.String(length=36), nullable=True),
        sa.Column("question", sa.String(1000), nullable=False),
        sa.Column("answer", sa.String(2000), nullable=False),
        sa.Column("disclosure", sa.String(40), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("info_request_id", sa.String(36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["info_request_id"], ["info_requests.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("facts_user_scope_idx", "facts", ["user_id", "scope"])
    op.create_table(
        "fact_disclosures",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("fact_id", sa.String(length=36), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["fact_id"], ["facts.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("fact_id", "call_id", name="fact_disclosures_fact_id_call_id_key"),
    )
    op.create_index("ix_fact_disclosures_call_id", "fact_disclosures", ["call_id"])
    op.create_table(
        "text_messages",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("info_request_id", sa.String(length=36), nullable=False),
        sa.Column("phone_number", sa.String(20), nullable=False),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("numbered", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("carrier_sid", sa.String(64), nullable=True),
        sa.Column("carrier_error", sa.Integer(), nullable=True),
        sa.Column("cost_micros", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["info_request_id"], ["info_requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("info_request_id", name="text_messages_info_request_id_key"),
    )
    op.create_index(
        "text_messages_phone_number_idx", "text_messages", ["phone_number", "created_at"]
    )


def downgrade() -> None:
    for table in ("text_messages", "fact_disclosures", "facts"):
        op.drop_table(table)
    op.execute("DELETE FROM access_tokens WHERE info_request_id IS NOT NULL")
    with op.batch_alter_table("access_tokens") as tokens:
        tokens.drop_constraint(LINK, type_="foreignkey")
        tokens.drop_column("info_request_id")
    op.drop_column("users", "texts_stopped_at")
