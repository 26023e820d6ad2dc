"""Parses a line of a staff file into a staff record, or reports what is wrong with it. Error texts contain no personal data."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from connectors.staff.csv.columns import field_of, fields_of, normal_column
from connectors.staff.csv.dates import NO_DATE, DateRules, form_of, parse_end, parse_start
from connectors.staff.csv.employment_status import status_of
from connectors.staff.csv.file_form import StaffFileForm
from connectors.staff.csv.read_file import StaffFile, StaffLine
from connectors.staff.zones import known_zone
from schemas.access.facts import LocalTime
from schemas.access.limits import LONGEST_TEXT, MOST_ADDRESSES
from schemas.errors import InvalidRecord
from schemas.ids import derived

Normalizer = Callable[[str], str | None]


class StaffRow(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `asserts` names the fields in its line; an empty one asserts "none", a missing one asserts nothing."""

    line: int
    record: str
    asserts: tuple[str, ...]
    employee: str | None = None
    name: str | None = None
    addresses: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    department: str | None = None
    status: str | None = None
    status_given: str | None = None
    starts: LocalTime | None = None
    ends: LocalTime | None = None
    zone: str | None = None
    calendar: str | None = None

    def __repr__(self) -> str:
        return f"StaffRow(line={self.line})"


class BadRow(NamedTuple):
    """A line that cannot be used, and why."""

    line: int
    reason: str


def rows(file: StaffFile, form: StaffFileForm, *, normalize: Normalizer) -> tuple[list[StaffRow], list[BadRow]]:
    """Parse a file's lines; `normalize` returns an address in comparable form, or None for text that is not an address.

    Two rows of the same record are both bad. Raises InvalidRecord where the header as a whole cannot be used.
    """
    _check_columns(file, form)
    if form.dates.form is None:
        form = msgspec.structs.replace(form, dates=form.dates._replace(form=form_of(_date_texts(file, form))))
    good: list[StaffRow] = []
    bad: list[BadRow] = []
    for line in file.lines:
        try:
            good.append(_row(line, form, normalize))
        except InvalidRecord as error:
            bad.append(BadRow(line.number, str(error)))
    first: dict[str, StaffRow] = {}
    duplicates = [(row, original) for row in good if (original := first.setdefault(row.record, row)) is not row]
    for row, original in duplicates:
        bad.append(BadRow(row.line, f"the same record as line {original.line}; which of them is right?"))
    ambiguous = {row.record for row, _ in duplicates}
    bad += [BadRow(first[record].line, "a later line has the same record") for record in sorted(ambiguous)]
    return [row for row in good if row.record not in ambiguous], sorted(bad)


def _check_columns(file: StaffFile, form: StaffFileForm) -> None:
    """Raise InvalidRecord where a declared column is missing, or the header cannot be used."""
    there = {normal_column(column) for column in file.columns or {name for line in file.lines for name in line.cells}}
    for field, columns in form.columns.items():
        for column in columns:
            if column not in there:
                raise InvalidRecord(f"the file has no column '{column}', which is declared for {field}; look at the spelling")
    if file.columns:
        fields_of(file.columns, form.columns)


def _date_texts(file: StaffFile, form: StaffFileForm) -> Iterator[str]:
    """Yield all texts of the file's columns with dates."""
    fields: dict[str, str | None] = {}
    for line in file.lines:
        for column, cell in line.cells.items():
            if column not in fields:
                fields[column] = field_of(column, form.columns)
            if fields[column] in ("starts", "ends") and isinstance(cell, str):
                yield cell.strip()


def _row(line: StaffLine, form: StaffFileForm, normalize: Normalizer) -> StaffRow:
    if line.error:
        raise InvalidRecord(line.error)
    fields = fields_of(line.cells, form.columns)
    cells = _by_field(line.cells, fields)
    addresses = _list(cells.get("emails", []), ";, \t\n")
    comparable = [normalize(address) for address in addresses]
    if None in comparable:
        raise InvalidRecord("an e-mail cell holds what is no address")
    identifier = _text(cells, "id")
    if identifier is None and not addresses:
        raise InvalidRecord("neither an id nor an e-mail address says whose record this is")
    status_given = _text(cells, "status")
    status = status_of(status_given) if status_given else None
    if status_given and status is None:
        raise InvalidRecord(f"the status '{status_given}' is not known; add an end date, or use active, leave or ended")
    row = StaffRow(
        line=line.number,
        record=_checked_identifier(identifier) if identifier else derived("staff by address", comparable[0]),
        asserts=_asserts(fields.values(), status),
        employee=_text(cells, "employee"),
        name=_text(cells, "name")
        or " ".join(part for part in (_text(cells, "first_name"), _text(cells, "last_name")) if part)
        or None,
        addresses=tuple(dict.fromkeys(addresses)),
        roles=tuple(dict.fromkeys(_list(cells.get("roles", []), ";\n"))),
        department=_text(cells, "department"),
        status=status,
        status_given=status_given,
        starts=_date(_text(cells, "starts"), parse_start, form.dates, "start"),
        ends=_date(_text(cells, "ends"), parse_end, form.dates, "end"),
        zone=_zone(_text(cells, "zone")),
        calendar=_text(cells, "calendar"),
    )
    _check_length(row)
    return row


def _check_length(row: StaffRow) -> None:
    """Raise InvalidRecord for a row that no fact can hold."""
    if len(row.addresses) > MOST_ADDRESSES:
        raise InvalidRecord(f"{len(row.addresses)} e-mail addresses, and one person has at most {MOST_ADDRESSES}")
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if any(isinstance(text, str) and len(text) > LONGEST_TEXT for text in (value if isinstance(value, tuple) else (value,))):
            raise InvalidRecord(f"{name} has more than {LONGEST_TEXT} characters")


def _asserts(fields: Iterable[str], status: str | None) -> tuple[str, ...]:
    """Return the record's fields in a line. An empty status asserts nothing: it does not mean that employment continues."""
    renamed = {"emails": "addresses", "first_name": "name", "last_name": "name"}
    asserted = {renamed.get(field, field) for field in fields} - {"id"}
    return tuple(sorted(asserted if status else asserted - {"status"}))


def _zone(text: str | None) -> str | None:
    if not text:
        return None
    if zone := known_zone(text):
        return zone
    raise InvalidRecord(f"the zone '{text}' is not known; write one like Europe/Paris, or ignore the column with --columns zone=")


def _by_field(cells: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for column, field in fields.items():
        value = cells[column]
        values.setdefault(field, []).extend(value if isinstance(value, list) else [value])
    return values


def _text(cells: Mapping[str, list[Any]], field: str) -> str | None:
    values = cells.get(field, [])
    if len(values) > 1:
        raise InvalidRecord(f"{field} holds several values and can have one")
    return _scalar(values[0], field) if values else None


def _scalar(value: Any, field: str) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if value is None:
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise InvalidRecord(f"{field} is neither text nor a whole number")
    return value.strip().encode("utf-8", "replace").decode() or None


def _list(values: Iterable[Any], separators: str) -> list[str]:
    parts = []
    for value in values:
        text = _scalar(value, "an entry of a list") or ""
        for separator in separators:
            text = text.replace(separator, "\n")
        parts += [part.strip() for part in text.split("\n") if part.strip()]
    return parts


def _checked_identifier(text: str) -> str:
    if not text.isprintable():
        raise InvalidRecord("the id holds control characters")
    return text


def _date(text: str | None, parse: Callable[[str, DateRules], LocalTime], rules: DateRules, label: str) -> LocalTime | None:
    if text is None:
        return None
    try:
        return parse(text, rules)
    except ValueError as error:
        raise InvalidRecord(f"the {label} '{text[:40]}' {error}") from None
    except OverflowError:
        raise InvalidRecord(f"the {label} '{text[:40]}' {NO_DATE}") from None
