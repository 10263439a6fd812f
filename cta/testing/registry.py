"""A registry without a server, for tests and measurements that are about something else."""

from __future__ import annotations

from cta.model.schemas import Schema


class NumberedSchemas:
    """A `cta.broker.avro.Schemas` that counts from 1; equal schemas have one id. Nobody else can read what it frames."""

    def __init__(self) -> None:
        self.subjects: dict[str, int] = {}
        """The id last registered under each subject."""
        self._schemas: list[Schema] = []

    def register(self, subject: str, schema: Schema) -> int:
        if schema not in self._schemas:
            self._schemas.append(schema)
        self.subjects[subject] = self._schemas.index(schema) + 1
        return self.subjects[subject]

    def by_id(self, schema_id: int) -> Schema | None:
        return self._schemas[schema_id - 1] if 1 <= schema_id <= len(self._schemas) else None
