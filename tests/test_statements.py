"""How statements reach the server: several in one round trip, by keys, with the commit."""

from collections.abc import Iterator

import pytest
from django.db import DataError, connection, transaction

from iotpanel import statements
from iotpanel.statements import Statement, execute

COUNT = "SELECT count(*) FROM last_words"


@pytest.fixture
def table(transactional_db: None) -> Iterator[None]:
    execute("CREATE TEMP TABLE last_words (n int)")
    yield
    execute("DROP TABLE last_words")


def word(n: int = 1) -> Statement:
    return "INSERT INTO last_words SELECT 1 / %s", [n]


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


def test_last_words_go_with_the_commit(table: None) -> None:
    heard: list[int] = []
    with transaction.atomic():
        statements.at_commit(word())
        transaction.on_commit(lambda: heard.append(words()))
        assert words() == 0
    assert heard == [1]
    assert words() == 1


def test_last_words_of_what_is_rolled_back_are_never_said(table: None) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        statements.at_commit(word())
        raise ZeroDivisionError
    with transaction.atomic():
        execute("SELECT 1")
    assert words() == 0


def test_last_words_of_a_lost_session_are_never_said(table: None) -> None:
    """The next session is another one, without this temporary table."""
    with pytest.raises(ConnectionError), transaction.atomic():
        statements.at_commit(word(0))
        connection.close()
        raise ConnectionError
    with transaction.atomic():
        execute("CREATE TEMP TABLE last_words (n int)")


def test_last_words_that_fail_fail_the_commit(table: None) -> None:
    with pytest.raises(DataError), transaction.atomic():
        execute(*word())
        statements.at_commit(word(), word(0))
    assert words() == 0


def test_below_a_savepoint_they_are_said_at_once_and_undone_with_it(table: None) -> None:
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            statements.at_commit(word())
            assert words() == 1
            raise ZeroDivisionError
        assert words() == 0
    assert words() == 0


def test_outside_of_a_transaction_they_are_said_at_once(table: None) -> None:
    statements.at_commit(word(), word())
    assert words() == 2
