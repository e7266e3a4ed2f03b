"""Why a rule was switched off is a code and what fills its text; texts that were written before stay readable."""

from django.db import migrations, models

TAKE_APART = r"""
UPDATE rules_rule SET
    disabled_reason = CASE WHEN is_known THEN 'failed_often' ELSE 'said' END,
    disabled_about = CASE
        WHEN is_known THEN jsonb_build_object(
            'times', substring(disabled_reason from '^It failed ([0-9]+) times')::bigint,
            'error', regexp_replace(disabled_reason, '^It failed [0-9]+ times within an hour: ', '')
        )
        ELSE jsonb_build_object('text', disabled_reason)
    END
FROM (SELECT id AS pk, disabled_reason ~ '^It failed [0-9]{1,9} times within an hour: ' AS is_known FROM rules_rule) AS known
WHERE known.pk = id AND disabled_reason <> '';
"""
PUT_TOGETHER = """
UPDATE rules_rule SET disabled_reason = CASE disabled_reason
    WHEN 'failed_often' THEN format('It failed %s times within an hour: %s', disabled_about->>'times', disabled_about->>'error')
    ELSE coalesce(disabled_about->>'text', disabled_reason)
END WHERE disabled_reason <> '';
"""


class Migration(migrations.Migration):
    dependencies = [("rules", "0008_browser")]

    operations = [
        migrations.AddField("rule", "disabled_about", models.JSONField(default=dict, editable=False)),
        migrations.RunSQL(TAKE_APART, PUT_TOGETHER),
    ]
