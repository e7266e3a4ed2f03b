"""Hypertables that keep their primary keys, and plain tables where TimescaleDB is missing."""

from django.db import models
from timescale.db.backends.postgresql.schema import TimescaleSchemaEditor

from .features import active


class SchemaEditor(TimescaleSchemaEditor):
    # No index of its own on time: every read goes by device and time, and an index costs each row written.
    sql_add_hypertable = (
        "SELECT create_hypertable({table}, {partition_column}, chunk_time_interval => interval {interval}, "
        "migrate_data => {migrate}, create_default_indexes => false)"
    )

    def _drop_primary_key(self, model: type[models.Model]) -> None:
        """Kept: our composite keys contain the time, which is all that TimescaleDB asks for."""

    def _create_hypertable(self, model: type[models.Model], field: models.Field, should_migrate: bool = False) -> None:
        if active(self.connection):
            super()._create_hypertable(model, field, should_migrate)

    def _set_chunk_time_interval(self, model: type[models.Model], field: models.Field) -> None:
        if active(self.connection):
            super()._set_chunk_time_interval(model, field)
