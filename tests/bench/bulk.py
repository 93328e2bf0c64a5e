"""Many rows at once, by SQL: a table is filled from expressions over the row's number `i`."""

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models


def fill(model: type[models.Model], count: int, /, **columns: str) -> None:
    """Insert `count` rows (i = 1 …); a column that isn't named gets its default, or the emptiest value it takes."""
    _insert(model, columns, f"generate_series(1, {count}) AS i")


def fill_from(model: type[models.Model], source: str, /, **columns: str) -> None:
    """Insert one row for each row of `source`, a FROM clause."""
    _insert(model, columns, source)


def _insert(model: type[models.Model], columns: dict[str, str], source: str) -> None:
    values = {}
    for field in model._meta.local_concrete_fields:
        given = columns.pop(field.name, None)
        if given is None and (isinstance(field, models.AutoField) or field.null):
            continue
        values[field.column] = _emptiest(field) if given is None else given
    if columns:
        raise KeyError(f"{model.__name__} has no {', '.join(columns)}")
    names = ", ".join(f'"{name}"' for name in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {", ".join(values.values())} FROM {source}'
        )


def _emptiest(field: models.Field) -> str:
    default = field.default
    if default is not models.NOT_PROVIDED and not callable(default) and isinstance(default, (bool, int, float, str)):
        return f"'{default}'" if isinstance(default, str) else str(default)
    kinds: list[tuple[type, str]] = [
        (models.DateTimeField, "now()"), (models.DateField, "current_date"), (models.BooleanField, "false"),
        (models.JSONField, "'{}'::jsonb" if default in (dict, models.NOT_PROVIDED) else "'[]'::jsonb"),
        (ArrayField, "'{}'"), (models.BinaryField, "''::bytea"), (models.UUIDField, "gen_random_uuid()"),
        (models.DurationField, "interval '0'"),
        (models.IntegerField, "0"), (models.FloatField, "0"), (models.DecimalField, "0"),
        (models.CharField, "''"), (models.TextField, "''"),
    ]  # fmt: skip
    return next(value for kind, value in kinds if isinstance(field, kind))
