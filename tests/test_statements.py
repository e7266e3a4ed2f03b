"""How statements reach the server: several in one round trip, by keys."""

from collections.abc import Iterator

import pytest
from django.db import DataError, transaction

from iotpanel import statements
from iotpanel.statements import Statement, execute

COUNT = "SELECT count(*) FROM words_said"


@pytest.fixture
def table(transactional_db: None) -> Iterator[None]:
    execute("CREATE TEMP TABLE words_said (n int)")
    yield
    execute("DROP TABLE words_said")


def word(n: int = 1) -> Statement:
    return "INSERT INTO words_said SELECT 1 / %s", [n]


def words() -> int:
    return int(execute(COUNT)[0][0])


def test_each_of_several_statements_has_its_rows(table: None) -> None:
    with transaction.atomic():
        assert statements.together(("SELECT generate_series(1, %s)", [2]), word(), (COUNT, [])) == [[(1,), (2,)], [], [(1,)]]


def test_where_one_of_several_fails_its_error_is_raised_and_nothing_is_done(table: None) -> None:
    with pytest.raises(DataError), transaction.atomic():
        statements.together(word(), word(0), (COUNT, []))
    assert words() == 0


def test_planned_by_keys_is_one_statement_not_the_transaction(table: None) -> None:
    how = "SELECT current_setting('enable_seqscan')"
    with transaction.atomic():
        assert statements.by_keys(how) == [("off",)]
        assert execute(how) == [("on",)]
