"""Why a rule was switched off: a code in the row, words for each reader, and texts of before that stay readable."""

import importlib

import pytest
from django.db import connection
from django.utils import translation

from iotpanel.tenants.models import Tenant, User
from rules.models import Rule
from rules.stops import stopped
from tests.rest import Rest
from tests.rules.make import make_freezer, make_rule

OLD = "It failed 10 times within an hour: KeyError: '100 %(x)s'\nand more"


def test_each_reader_reads_it_in_their_language() -> None:
    about = {"times": 10, "error": "KeyError: '100 %(x)s'"}
    assert stopped("failed_often", about) == "It failed 10 times within an hour: KeyError: '100 %(x)s'"
    with translation.override("zh-hans"):
        assert stopped("failed_often", about) == "一小时内失败了 10 次：KeyError: '100 %(x)s'"
        assert stopped("said", {"text": "By hand, 100 %"}) == "By hand, 100 %"
    assert (stopped("", {}), stopped("of_tomorrow", {}), stopped("failed_often", {})[:15]) == ("", "of_tomorrow", "It failed 0 tim")


@pytest.mark.django_db
def test_texts_that_were_written_before_stay_readable(tenant: Tenant, viewer: User) -> None:
    make_freezer(tenant)
    rules = [make_rule(tenant, name=name, enabled=False) for name in ("failed", "said", "fine")]
    for rule, text in zip(rules, (OLD, "Somebody's own words: 5 %", ""), strict=True):
        Rule.objects.filter(pk=rule.pk).update(disabled_reason=text)
    migration = importlib.import_module("rules.migrations.0009_disabled_about")
    with connection.cursor() as cursor:
        cursor.execute(migration.TAKE_APART)
    failed, said, fine = (Rest(viewer).get(f"rules/{rule.pk}/").json() for rule in rules)
    assert (failed["disabled_code"], failed["disabled_reason"]) == ("failed_often", OLD)
    assert (said["disabled_code"], said["disabled_reason"]) == ("said", "Somebody's own words: 5 %")
    assert (fine["disabled_code"], fine["disabled_reason"]) == ("", "")
    with connection.cursor() as cursor:
        cursor.execute(migration.PUT_TOGETHER)
    assert list(Rule.objects.order_by("pk").values_list("disabled_reason", flat=True)) == [OLD, "Somebody's own words: 5 %", ""]
