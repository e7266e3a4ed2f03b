from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0005_ledger_minute")]

    # Nothing was ever written to the table that is made anew here.
    operations = [
        migrations.DeleteModel("Forgotten"),
        migrations.CreateModel(
            name="Forgotten",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "product_id", "level", "property", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("product_id", models.BigIntegerField()),
                ("level", models.CharField(max_length=8)),
                ("property", models.CharField(default="", max_length=256)),
                ("before", models.DateTimeField()),
            ],
        ),
    ]
