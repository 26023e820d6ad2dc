"""A company by the latest rules, and what its findings show, for histories in which instants, seconds, sources or lists coincide."""

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from schemas.access.facts import Fact, Rule
from streams.core.access.state.row_kinds.rules_rows import ALL
from tests.support.company import APP, DAY, SECOND, T0, Company, everyone, settings, staff

JO: Final = "jo@acme.example"
AL: Final = "al@acme.example"
HOUR: Final = 3600 * SECOND
MINUTE: Final = 60 * SECOND
LATE: Final = T0 + 12 * DAY
S: Final = T0 + 9 * DAY  # a second in which facts contradict each other


def company_of(*rules: Rule, source: str | None = None, **further: Any) -> Company:
    """Return a company that follows the latest rules; `source` reports every hour."""
    if source is not None:
        further["freshness"] = {source: {"kind": "interval", "interval": HOUR}}
    company = Company()
    texts = {name: json.dumps(value) for name, value in {"rules": ALL[-1], **further}.items()}
    company.add(settings(workspaces=(APP,), further=texts))
    company.policy(*(rules or (everyone(),)))
    return company


def leaver(**how: Any) -> Company:
    """Return a company in which Jo left on the fifth day, and is still a teammate."""
    company = company_of(**how)
    company.staff("77", JO)
    company.added("7", JO)
    company.staff("77", JO, at=T0 + DAY, ends=T0 + 5 * DAY)
    return company


def asserted(at: int, *, ends: int | None = None, status: str | None = None) -> Fact:
    """Return an observation of Jo's record that asserts its status, or else its end alone, which may be none."""
    fact = staff("77", at=at, ends=ends, status=status)
    assert fact.record is not None
    asserts = ("status",) if status else ("ends",)
    return msgspec.structs.replace(fact, record=msgspec.structs.replace(fact.record, asserts=asserts))


def answer(company: Company, check: str, account: str = "7") -> tuple[str, str, int]:
    (row,) = (row for row in company.states().values() if (row["check"], row["account"]) == (check, account))
    return row["result"], row["reason"], row["since"]


def events(found: Sequence[dict[str, Any]], check: str) -> list[tuple[int, int, str]]:
    """Return the activity, time, and result or way to close, of the events about a check."""
    return [
        (each["activity_id"], each["time"], each["unmapped"].get("closed_for") or each["unmapped"]["result"])
        for each in found
        if each["unmapped"]["check"] == check
    ]


def findings(company: Company, check: str) -> list[str]:
    """Return the uids of all findings there ever were of a check."""
    found = [each for each in company.findings() if each["unmapped"]["check"] == check]
    return list(dict.fromkeys(each["finding_info"]["uid"] for each in found))


def held_open(company: Company, check: str) -> bool:
    return any(row["check"] == check and row["finding"] for row in company.states().values())
