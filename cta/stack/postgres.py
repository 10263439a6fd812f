"""Postgres: the ``stations`` table, a row a platform, from which Connect reads.

The table is made and filled in one transaction and holds exactly the rows given: what is new is inserted, what differs is
updated, what is gone is deleted, and a row that is as it should be is not touched, so that Connect has nothing to say
about it. Loading twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg2
from psycopg2 import errors, extensions, sql

from cta.model.errors import CtaError, InputError, ServiceError
from cta.model.wording import nearest
from cta.pipeline.stations import PlatformRow
from cta.stack.stations_table import KEY, TABLE, create_table, upsert
from cta.stack.wait import PATIENCE_S, Clock, MachineClock, until

Row = Mapping[str, Any]

CONNECT_TIMEOUT_S: Final = 3
STATEMENT_TIMEOUT_MS: Final = 20_000
LOCK_TIMEOUT_MS: Final = 5_000
_CONNECTION: Final = re.compile(r"^connection to server (?:at|on socket) .*? failed: ")


@dataclass(frozen=True)
class Loaded:
    """What loading changed, in rows; all zero when everything was there already."""

    rows: int
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class Change:
    """A row before and after."""

    was: dict[str, Any]
    now: dict[str, Any]


class Postgres:
    """A database by its DSN (``postgresql://user:password@host:port/db`` or ``key=value`` words).

    Errors: ServiceError, never with the password in it; InputError for a DSN that is none.
    """

    def __init__(self, dsn: str, *, clock: Clock | None = None) -> None:
        words = _words(dsn)
        self._secret = words.get("password", "")
        self._words = {"connect_timeout": str(CONNECT_TIMEOUT_S), "application_name": "cta", **words}
        self._clock = clock or MachineClock()
        self.where = (
            f"Postgres at {words.get('host', 'localhost')}:{words.get('port', '5432')}/{words.get('dbname', '')}"
        )

    def load(self, rows: list[PlatformRow]) -> Loaded:
        """Make the table if it isn't there, and make it hold exactly ``rows`` (all with the same columns)."""
        with self._transaction() as cursor:
            cursor.execute(create_table(rows[0]))
            self._check_columns(cursor, list(rows[0]))
            cursor.execute(f"LOCK TABLE {TABLE} IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute(f"DELETE FROM {TABLE} WHERE {KEY} <> ALL(%s)", ([row[KEY] for row in rows],))
            deleted = cursor.rowcount
            # xmax, the transaction that ended a row's earlier version, is 0 in a row that has none
            cursor.execute(upsert(rows).removesuffix(";") + f"\nRETURNING {TABLE}.xmax = 0")
            is_new = [new for (new,) in cursor.fetchall()]
        return Loaded(len(rows), sum(is_new), len(is_new) - sum(is_new), deleted)

    def rows(self) -> list[dict[str, Any]]:
        """The table's rows by stop id."""
        with self._transaction() as cursor:
            cursor.execute(f"SELECT * FROM {TABLE} ORDER BY {KEY}")
            return _by_column(cursor)

    def change(self, stop_ids: Sequence[int], values: Row) -> list[Change]:
        """Set columns of platforms' rows, of all or of none; by stop id. A text is read as the column's type.

        Errors: InputError for a stop or a column that isn't there, and for a value that the column can't have.
        """
        where = f"{self.where}, table {TABLE}"
        chosen = f"FROM {TABLE} WHERE {KEY} = ANY(%s) ORDER BY {KEY}"
        settings = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values]
        change = sql.SQL(f"UPDATE {TABLE} SET {{}} WHERE {KEY} = ANY(%s)").format(sql.SQL(", ").join(settings))
        with self._transaction() as cursor:
            cursor.execute(f"SELECT * {chosen} FOR UPDATE", (list(stop_ids),))
            columns = [column.name for column in cursor.description or ()]
            was = _by_column(cursor)
            for missing in sorted({*stop_ids} - {row[KEY] for row in was}):
                raise InputError(f"no stop {missing}", where=where, remedy="'cta stations show' lists them")
            for strange in [name for name in values if name not in columns]:
                raise InputError(f"no column {strange!r}", where=where, remedy=nearest(strange, columns))
            cursor.execute(change, [*values.values(), list(stop_ids)])
            cursor.execute(f"SELECT * {chosen}", (list(stop_ids),))
            return [Change(*rows) for rows in zip(was, _by_column(cursor), strict=True)]

    def drop(self) -> None:
        """Remove the table; nothing happens if it isn't there."""
        with self._transaction() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")

    def forget_reader(self, slot: str, publication: str, patience_s: float = PATIENCE_S) -> bool:
        """Remove a Debezium connector's slot and publication, which stay behind it; whether the slot was in this database.

        A connector lets go of its slot a moment after it was stopped: that is waited for. Errors: ServiceError where
        something reads it still after ``patience_s``.
        """

        def late() -> ServiceError:
            what = f"slot {slot} is still read from after {patience_s:g} s"
            return ServiceError(what, where=self.where, remedy="stop the connector that reads it")

        return until(lambda: self._forgotten(slot, publication), late, clock=self._clock, patience_s=patience_s)

    def _forgotten(self, slot: str, publication: str) -> bool | None:
        """As `forget_reader`; None: somebody reads from it, and nothing was done."""
        with self._transaction() as cursor:
            ours = "slot_name = %s AND database = current_database()"
            cursor.execute(f"SELECT active FROM pg_replication_slots WHERE {ours}", (slot,))
            found = cursor.fetchone()
            if found == (True,):
                return None
            if found is None:
                return False
            cursor.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
            cursor.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(publication)))
            return True

    def version(self) -> str:
        """The server's version, such as ``17.2``."""
        with self._transaction() as cursor:
            cursor.execute("SHOW server_version")
            return str((cursor.fetchone() or ("",))[0]).split(" ")[0]

    def wait_ready(self, patience_s: float = PATIENCE_S) -> None:
        """Return when the database answers. Errors: what it said last, after ``patience_s``."""
        last: list[ServiceError] = []

        def look() -> bool | None:
            try:
                self.version()
            except ServiceError as error:
                last[:] = [error]
                return None
            return True

        until(look, lambda: last[0], clock=self._clock, patience_s=patience_s)

    @contextmanager
    def _transaction(self) -> Iterator[extensions.cursor]:
        """A cursor in a transaction of its own: committed when the block ends well, else as if it had never been."""
        try:
            connection = psycopg2.connect(
                **self._words,
                options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}",
            )
        except psycopg2.OperationalError as error:
            raise self._unreachable(error) from None
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            raise self._refused(error) from None
        finally:
            connection.close()

    def _check_columns(self, cursor: extensions.cursor, wanted: Sequence[str]) -> None:
        """Errors: ServiceError with the difference, where the table was made for another network or by somebody else."""
        cursor.execute(f"SELECT * FROM {TABLE} LIMIT 0")
        there = [column.name for column in cursor.description or ()]
        if there == list(wanted):
            return
        missing, strange = sorted(set(wanted) - set(there)), sorted(set(there) - set(wanted))
        differences = [f"no {name}" for name in missing] + [f"{name}, which nobody asked for" for name in strange]
        raise ServiceError(
            f"table {TABLE} has other columns: {', '.join(differences) or 'another order'}",
            where=self.where,
            remedy="drop the table if nobody needs it, or use another database",
        )

    def _unreachable(self, error: psycopg2.OperationalError) -> ServiceError:
        said = self._said(error)
        if "authentication failed" in said or "no password supplied" in said:
            return ServiceError(
                f"user {self._words.get('user', 'unnamed')!r} or its password was refused",
                where=self.where,
                remedy="check CTA_POSTGRES_DSN",
            )
        if "does not exist" in said:
            return ServiceError(said, where=self.where, remedy="make it, or check CTA_POSTGRES_DSN")
        return ServiceError(
            f"it cannot be reached: {said}",
            where=self.where,
            remedy="start it ('cta stack up') or check CTA_POSTGRES_DSN",
        )

    def _refused(self, error: psycopg2.Error) -> CtaError:
        if isinstance(error, (psycopg2.DataError, psycopg2.IntegrityError)):
            remedy = "nothing was changed; give a value that the column can have"
            return InputError(self._said(error), where=f"{self.where}, table {TABLE}", remedy=remedy)
        if isinstance(error, errors.UndefinedTable):
            return ServiceError(f"no table {TABLE}", where=self.where, remedy="'cta stations load' makes it")
        return ServiceError(
            f"{self._said(error)}; nothing was changed", where=self.where, remedy="try again, or see the server's log"
        )

    def _said(self, error: psycopg2.Error) -> str:
        """The server's words in one line, each once: no FATAL, address or password, nor where in our SQL it stumbled."""
        words = str(error).partition("\nLINE ")[0]
        lines = [_CONNECTION.sub("", line.strip()).removeprefix("FATAL:").strip() for line in words.splitlines()]
        said = "; ".join(dict.fromkeys(line for line in lines if line and not line.startswith("Is the server running")))
        return (said.replace(self._secret, "***") if self._secret else said) or type(error).__name__


def _words(dsn: str) -> dict[str, Any]:
    """What a DSN says, word by word.

    Errors: InputError that shows nothing of it, also where a password that is not quoted was read as host, port or
    database, which are shown.
    """
    try:
        words: dict[str, Any] = extensions.parse_dsn(dsn)
    except psycopg2.ProgrammingError:  # its text repeats the DSN, and so the password
        words = {}
    place = f"{words.get('host', '')}{words.get('dbname', '')}" if "://" in dsn else ""
    if not words or "@" in place or not re.fullmatch(r"[0-9,]*", words.get("port", "")):
        remedy = "write it as postgresql://user:password@host:port/db, with %2F for / and %40 for @ in the password"
        raise InputError("the DSN cannot be read", where="Postgres", remedy=remedy)
    return words


def _by_column(cursor: extensions.cursor) -> list[dict[str, Any]]:
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
