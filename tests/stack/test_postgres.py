import pytest

from cta.model.errors import InputError, ServiceError
from cta.stack.postgres import Postgres


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://a:secret@[",
        "host=here secret",
        "password='secret",
        "postgresql://a:my/secret@here/cta",
        "postgresql://a:12/secret@here/cta",
        "postgresql://a:my@secret@here/cta",
    ],
)
def test_a_dsn_that_cannot_be_read_is_not_shown(dsn: str) -> None:
    """What libpq says of it repeats a part of it, and what it takes for host, port or database: a password, maybe."""
    with pytest.raises(InputError) as caught:
        Postgres(dsn)
    assert "secret" not in str(caught.value)
    assert "write it as postgresql://user:password@host:port/db" in str(caught.value)


def test_where_it_is_shows_neither_user_nor_password() -> None:
    assert Postgres("postgresql://user:secret@db.example:5433/cta").where == "Postgres at db.example:5433/cta"
    assert Postgres("dbname=cta password=secret").where == "Postgres at localhost:5432/cta"


@pytest.mark.parametrize(
    "dsn, told",
    [
        (
            "postgresql://u:secret@127.0.0.1:1/cta",
            "Postgres at 127.0.0.1:1/cta: it cannot be reached: Connection refused; start it",
        ),
        (
            "host=127.0.0.1,127.0.0.1 port=1 user=u password=secret dbname=cta",
            "Postgres at 127.0.0.1,127.0.0.1:1/cta: it cannot be reached: Connection refused; start it",
        ),
        (
            "host=/nowhere user=u password=secret dbname=cta",
            "Postgres at /nowhere:5432/cta: it cannot be reached: No such file or directory; start it",
        ),
    ],
    ids=["nobody listens", "two addresses", "no socket"],
)
def test_what_cannot_be_reached_is_told_once_without_libpqs_own_remedy(dsn: str, told: str) -> None:
    """Libpq says it of each address, in lines that would run into each other, and asks whether the server runs."""
    with pytest.raises(ServiceError) as caught:
        Postgres(dsn).version()
    assert str(caught.value).startswith(told)
