"""What a city knows beyond its map: names that pins have confirmed, and numbered assets."""

import sqlalchemy as sa
from alembic import op

from geo.sql import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("report", sa.Column("alias_id", sa.Uuid()))
    op.create_table(
        "place_alias",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("lon", sa.Float(53), nullable=False),
        sa.Column("lat", sa.Float(53), nullable=False),
        sa.Column("radius_m", sa.Float(53), nullable=False),
        sa.Column("ward", sa.Text()),
        sa.Column("district", sa.Text()),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("forgotten_at", Moment()),
        sa.Column("forgotten_by", sa.Text()),
        sa.ForeignKeyConstraint(
            ["city_id", "report_id"],
            ["report.city_id", "report.id"],
            name="place_alias_city_id_report_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name="place_alias_pk"),
    )
    op.create_index("place_alias_city_id_forgotten_at", "place_alias", ["city_id", "forgotten_at"])
    op.create_table(
        "asset",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sort", sa.String(40), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("lon", sa.Float(53), nullable=False),
        sa.Column("lat", sa.Float(53), nullable=False),
        sa.Column("ward", sa.Text()),
        sa.Column("district", sa.Text()),
        sa.Column("imported_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="asset_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "code", name="asset_pk"),
    )
    op.create_index("asset_city_id_lat_lon", "asset", ["city_id", "lat", "lon"])


def downgrade() -> None:
    op.drop_table("asset")
    op.drop_table("place_alias")
    op.drop_column("report", "alias_id")
