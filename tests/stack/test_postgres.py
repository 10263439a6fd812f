import pytest

from cta.model.errors import InputError
from cta.stack.postgres import Postgres


@pytest.mark.parametrize("dsn", ["postgresql://a:secret@[", "host=here secret", "password='secret"])
def test_a_dsn_that_cannot_be_read_is_not_shown(dsn: str) -> None:
    """What libpq says of it repeats a part of it, and that may be the password."""
    with pytest.raises(InputError) as caught:
        Postgres(dsn)
    assert "secret" not in str(caught.value)
    assert "write it as postgresql://user:password@host:port/db" in str(caught.value)


def test_where_it_is_shows_neither_user_nor_password() -> None:
    assert Postgres("postgresql://user:secret@db.example:5433/cta").where == "Postgres at db.example:5433/cta"
    assert Postgres("dbname=cta password=secret").where == "Postgres at localhost:5432/cta"
