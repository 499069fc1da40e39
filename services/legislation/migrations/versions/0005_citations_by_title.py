"""Citations by title: an entry of the register asks who cited its title before it was entered."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every citation can be found by its title, not only those of unknown documents."""
    op.create_index("ix_citations_title", "citations", ["title_key", "unit", "cited_on"])


def downgrade() -> None:
    """The version before does not ask."""
    op.drop_index("ix_citations_title", "citations")
