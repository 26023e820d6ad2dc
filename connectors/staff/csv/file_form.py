"""How a source writes its files: zone and form of dates, what an end date means, names of columns, encoding."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from connectors.staff.csv.columns import FIELDS, normal_column
from connectors.staff.csv.dates import DateForm, DateRules
from schemas.errors import InvalidRecord
from schemas.tenancy import StaffSource

LAST_DAY: Final = "last_day"
FIRST_DAY_GONE: Final = "first_day_gone"
_NOTHING: Final = MappingProxyType[str, tuple[str, ...]]({})


class StaffFileForm(msgspec.Struct, frozen=True, kw_only=True):
    """The declared form. Without `dates.form` the file's dates decide it; without `encoding` a file is UTF-8, or says what it is.

    `columns` has the columns that fill a field, in place of those known by their names; none of them: nothing fills it.
    """

    dates: DateRules = DateRules(ZoneInfo("UTC"))
    columns: Mapping[str, tuple[str, ...]] = _NOTHING
    encoding: str = ""


def declared_form(source: StaffSource) -> StaffFileForm:
    """Return the form that a source declares. Raises InvalidRecord that names the first value that is none."""
    for key, check in CHECKS.items():
        check(getattr(source, key))
    return StaffFileForm(
        dates=DateRules(
            ZoneInfo(source.zone),
            DateForm(source.dates) if source.dates else None,
            first_day_gone=source.ends == FIRST_DAY_GONE,
        ),
        columns=declared_columns(source.columns),
        encoding=source.encoding,
    )


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidRecord(f"expected a time zone like Europe/Paris or UTC, found {name!r}") from None


def _check_encoding(name: str) -> None:
    try:
        b"a".decode(name or "utf-8")  # an empty text needs no codec
    except (LookupError, ValueError):
        raise InvalidRecord(f"expected a text encoding like utf-8, cp1252 or utf-16, found {name!r}") from None


def _one_of(*allowed: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value not in allowed:
            raise InvalidRecord(f"expected one of {', '.join(filter(None, allowed))}, found {value!r}")

    return check


def declared_columns(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Parse declarations like `end=Austritt`. Raises InvalidRecord for an unknown field, and for one column in two fields."""
    columns: dict[str, tuple[str, ...]] = {}
    for text in texts:
        left, equals, column = text.partition("=")
        field = FIELDS.get(normal_column(left))
        if not equals or field is None:
            raise InvalidRecord(
                f"{text!r} is no FIELD=COLUMN; fields: id, email, name, first name, last name, role, department, status, start, end, "
                "employee number, zone, calendar"
            )
        name = normal_column(column)
        if name and any(name in names for names in columns.values()):
            raise InvalidRecord(f"the column '{column}' is declared for two fields")
        columns[field] = (*columns.get(field, ()), *((name,) if name else ()))
    return columns


CHECKS: Final = MappingProxyType[str, Callable[[Any], object]]({
    "zone": _check_zone,
    "dates": _one_of("", *DateForm),
    "ends": _one_of(LAST_DAY, FIRST_DAY_GONE),
    "columns": declared_columns,
    "encoding": _check_encoding,
})  # fmt: skip
"""By key of a source: raises InvalidRecord that says what is expected."""
