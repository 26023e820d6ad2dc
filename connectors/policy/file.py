"""A policy written by hand: a TOML file with `[[rules]]` for each workspace. Errors name every problem, not only the first.

tenant = "acme"                  # optional where --tenant is given

[[rules]]
app_id = "abc12345"
validity = "staff_roles"         # all_staff, staff_roles, intercom_roles or ticket
roles = ["Support", "Sales"]     # staff_roles: staff with one of these
grace = { C2 = "24 hours", C4 = "3 business days" }  # time to fix a failure, by check: hours, days or business days

[[rules]]
app_id = "def67890"
validity = "intercom_roles"
starts = 2026-04-01T00:00:00Z    # optional; several rules of a workspace follow each other, the one that started last is in force
until = 2026-07-01T00:00:00+02:00  # optional
[rules.intercom_roles]           # the Intercom roles that each staff role allows, by name or id; "*" allows all
Support = ["Support Agent"]
Operations = ["*"]
"""

import re
import tomllib
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from schemas.access.facts import Grace, Policy, Rule
from schemas.access.limits import MOST_GRACE
from schemas.canonical import canonical, digest
from schemas.errors import BadConfiguration
from schemas.plain_values import plain


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    app_id: str
    validity: str
    roles: tuple[str, ...] = ()
    intercom_roles: dict[str, tuple[str, ...]] = {}
    starts: Any = None
    until: Any = None
    grace: dict[str, str] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[_Rule, ...]
    tenant: str | None = None


_GRACE: Final = re.compile(r"(\d+) (hours?|days?|business days?)")
_UNITS: Final = MappingProxyType({"hour": "hours", "day": "days", "business day": "business_days"})


class PolicyFile(NamedTuple):
    """A policy, and the tenant that its file names."""

    tenant: str | None
    policy: Policy


def read(path: Path, validities: Collection[str], checks: Collection[str]) -> PolicyFile:
    """Read a policy file, whose rules may have these validities, and grace for these checks. Raises BadConfiguration with every problem in it."""
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), _File)
    except OSError as error:
        raise BadConfiguration(f"{path.name} cannot be read: {error.strerror}. Is the path right?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadConfiguration(f"{path.name} is no policy: {error}. A policy has one [[rules]] per workspace.") from None
    problems = [f"workspace {rule.app_id}: {problem}" for rule in file.rules for problem in _problems(rule, validities, checks)]
    bounds = [(rule.app_id, rule.starts, rule.until) for rule in file.rules]
    duplicates = {app_id for app_id, *times in bounds if bounds.count((app_id, *times)) > 1}
    problems += [
        f"workspace {app_id} has more than one rule for the same time: give each its own `starts` and `until`"
        for app_id in sorted(duplicates)
    ]
    if problems:
        raise BadConfiguration(f"{path.name} was not applied:\n" + "\n".join(f"  {problem}" for problem in problems))
    rules = tuple(sorted(map(_rule, file.rules), key=lambda rule: rule.app_id))
    return PolicyFile(file.tenant, Policy(rules=rules, hash=digest(canonical([plain(rule) for rule in rules]))))


def _rule(rule: _Rule) -> Rule:
    grace = {check: grace for check, text in sorted(rule.grace.items()) if (grace := _grace(text)) is not None}
    return Rule(
        app_id=rule.app_id, validity=rule.validity, roles=rule.roles, intercom_roles=rule.intercom_roles,
        starts=_instant(rule.starts), until=_instant(rule.until), grace=grace,
    )  # fmt: skip


def _problems(rule: _Rule, validities: Collection[str], checks: Collection[str]) -> Iterator[str]:
    fields = {"staff_roles": ("roles", bool(rule.roles)), "intercom_roles": ("intercom_roles", bool(rule.intercom_roles))}
    if rule.validity not in validities:
        yield f"validity '{rule.validity}' is none of {', '.join(sorted(validities))}"
    for validity, (field, present) in fields.items():
        if rule.validity == validity and not present:
            yield f"validity {validity} needs {field}, and without any nobody may have access"
        if rule.validity != validity and present:
            yield f"{field} means nothing with validity {rule.validity}"
    yield from _bound_problems(rule)
    for check, text in rule.grace.items():
        if check not in checks:
            yield f"grace.{check}: there is grace for {', '.join(sorted(checks))} only"
        if _grace(text) is None:
            yield f"grace.{check}: expected hours, days or business days, 1 to {MOST_GRACE}, as in '3 business days', found '{text}'"


def _bound_problems(rule: _Rule) -> Iterator[str]:
    starts, until = _instant(rule.starts), _instant(rule.until)
    for key, given, instant in (("starts", rule.starts, starts), ("until", rule.until, until)):
        if given is not None and instant is None:
            yield f"{key}: expected a time with its offset, as in 2026-04-01T00:00:00Z, found {given}"
    if starts is not None and until is not None and until <= starts:
        yield "until: expected a time after `starts`, or the rule never holds"


def _instant(given: Any) -> int | None:
    """Return a time with its offset as milliseconds, None for anything else: a date alone begins at another instant in each zone."""
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            return None
    has_offset = isinstance(given, datetime) and given.tzinfo is not None
    return int(given.timestamp() * 1000) if has_offset else None


def _grace(text: str) -> Grace | None:
    found = _GRACE.fullmatch(" ".join(text.split()))
    amount = int(found[1]) if found else 0
    return Grace(amount=amount, unit=_UNITS[found[2].removesuffix("s")]) if found and 0 < amount <= MOST_GRACE else None
