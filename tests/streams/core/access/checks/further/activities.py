"""Facts of the activity log and of logins, as the admins agent makes them, and a company with a further check."""

import json
from typing import Any

import msgspec

from schemas.access.facts import Activity, Admin, Fact, FactPersonalData
from schemas.ids import derived
from tests.support.company import APP, DAY, SECOND, T0, TENANT, Company, admin, everyone, settings, story

JO = "jo@acme.example"
ENDED = T0 + 5 * DAY
HOUR = 3600 * SECOND


def did(type_: str, account: str | None, *, at: int = T0, app: str = APP, **metadata: Any) -> Fact:
    """Return an entry of the activity log."""
    id_ = derived("log", app, account, type_, at, json.dumps(metadata, sort_keys=True))
    return Fact(
        id=id_, tenant=TENANT, kind="admin.activity", source="intercom.webhook", basis="observed", time=at, app_id=app, account=account,
        person=FactPersonalData(metadata=json.dumps(metadata) if metadata else None), activity=Activity(id=id_, type=type_),
    )  # fmt: skip


def logged_in(account: str, *, at: int = T0, app: str = APP, **metadata: Any) -> Fact:
    """Return a login; with metadata that of the activity log."""
    fact = did("admin_login_success", account, at=at, app=app, **metadata)
    return msgspec.structs.replace(fact, kind="admin.logged_in", activity=fact.activity if metadata else None)


def switched_on(replaces: str | None = None, /, **checks: dict[str, Any]) -> Fact:
    """Return settings that switch further checks on."""
    return settings(replaces, further={"checks": json.dumps(checks)})


def company_with(check: str, **how: Any) -> Company:
    """A company with one further check, a policy, and a teammate who is employed."""
    company = Company()
    company.policy(everyone())
    company.add(switched_on(**{check: how}))
    company.staff("77", JO)
    company.added("7", JO)
    return company


def left(company: Company, ends: int = ENDED) -> None:
    company.staff("77", JO, at=T0 + DAY, ends=ends)


def of(check: str, findings: list[dict[str, Any]]) -> list[str]:
    return [line for line in story(findings) if line.startswith(f"{check} ")]


def with_seat(account: str, address: str, seat: bool | None, at: int = T0) -> Fact:
    return msgspec.structs.replace(admin("admin.added", account, address, at=at), admin=Admin(has_inbox_seat=seat))
