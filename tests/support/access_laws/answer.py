"""What the laws ask: the answers after a history, and the form in which two of them are compared."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import Answers, Row

Answer = Callable[[Sequence[Entry]], Answers]
"""Returns the answers after the whole history; wrap another implementation in this form to check it."""


def final_form(answers: Answers, *, dates: bool = True, grace: bool = False) -> dict[str, Any]:
    """Return what has to be the same in any order: rows and open findings; with their dates, or without.

    A deadline is fixed when its finding is created, by the date and the rule known then. So with `grace` the order may decide
    whether a failure is still in grace, and since when it is not; not that it fails, nor since when its condition holds.
    """
    form: dict[str, Any] = {}
    for key, checks in answers.accounts.items():
        form.update({"/".join((*key, check)): _row_form(row, dates=dates, grace=grace) for check, row in checks.items()})
    form.update({f"{app_id}/C3": _row_form(row, dates=dates, grace=grace) for app_id, row in answers.workspaces.items()})
    for f in answers.open:
        status = _status(f.status, grace=grace)
        form[f"open {f.check} {f.app_id}/{f.account}"] = (status, f.reason, f.since) if dates else (status, f.reason)
    return form


def has_grace(history: Sequence[Entry]) -> bool:
    """Whether a policy of the history gives time for a failure to be fixed."""
    return any(rule.get("grace") for entry in history if entry["fact"].get("policy") for rule in entry["fact"]["policy"]["rules"])


def _status(status: str, *, grace: bool) -> str:
    return "FAIL" if grace and status == "DUE" else status


def _row_form(row: Row, *, dates: bool, grace: bool) -> tuple[Any, ...]:
    person = row.person if row.reason == "staff_not_known" else row.person_ids
    form = (_status(row.status, grace=grace), row.reason, person, row.candidates, row.confidence)
    since = row.finding_since if grace and row.has_finding else row.since
    return (*form, since) if dates else form


def differences(expected: dict[str, Any], actual: dict[str, Any], what: str) -> list[str]:
    names = sorted({*expected, *actual})
    return [f"{what} {n} is {actual.get(n)}, not {expected.get(n)}" for n in names if expected.get(n) != actual.get(n)]
