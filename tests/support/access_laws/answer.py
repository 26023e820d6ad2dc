"""What the laws ask: the answers after a history, and the form in which two of them are compared."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import Answers, Row

Answer = Callable[[Sequence[Entry]], Answers]
"""Returns the answers after the whole history; wrap another implementation in this form to check it."""


def final_form(answers: Answers, *, dates: bool = True) -> dict[str, Any]:
    """Return what has to be the same in any order: rows and open findings; with their dates, or without."""
    form: dict[str, Any] = {}
    for key, checks in answers.accounts.items():
        form.update({"/".join((*key, check)): _row_form(row, dates=dates) for check, row in checks.items()})
    form.update({f"{app_id}/C3": _row_form(row, dates=dates) for app_id, row in answers.workspaces.items()})
    for f in answers.open:
        form[f"open {f.check} {f.app_id}/{f.account}"] = (f.status, f.reason, f.since) if dates else (f.status, f.reason)
    return form


def _row_form(row: Row, *, dates: bool) -> tuple[Any, ...]:
    person = row.person if row.reason == "staff_not_known" else row.person_ids
    form = (row.status, row.reason, person, row.candidates, row.confidence)
    return (*form, row.since) if dates else form


def differences(expected: dict[str, Any], actual: dict[str, Any], what: str) -> list[str]:
    names = sorted({*expected, *actual})
    return [f"{what} {n} is {actual.get(n)}, not {expected.get(n)}" for n in names if expected.get(n) != actual.get(n)]
