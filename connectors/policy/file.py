"""A policy as a person writes it: a TOML file with one `[[rules]]` per workspace. Every problem is named, not only the first.

tenant = "acme"                  # may be left out where --tenant says it

[[rules]]
app_id = "abc12345"
validity = "staff_roles"         # all_staff, staff_roles, intercom_roles or ticket
roles = ["Support", "Sales"]     # staff_roles: whoever has one of these

[[rules]]
app_id = "def67890"
validity = "intercom_roles"
[rules.intercom_roles]           # by staff role, the Intercom roles it allows; "*" allows all
Support = ["Support Agent"]
Operations = ["*"]
"""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.access.facts import Policy, Rule, plain
from schemas.canonical import canonical, digest
from schemas.errors import BadConfiguration


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    app_id: str
    validity: str
    roles: tuple[str, ...] = ()
    intercom_roles: dict[str, tuple[str, ...]] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[_Rule, ...]
    tenant: str | None = None


class PolicyFile(NamedTuple):
    """A policy, and the tenant its file names."""

    tenant: str | None
    policy: Policy


def read(path: Path, validities: Collection[str]) -> PolicyFile:
    """Read a policy file. Raises BadConfiguration with everything that is wrong in it."""
    try:
        written = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except OSError as error:
        raise BadConfiguration(f"{path.name} cannot be read: {error.strerror}. Is the path right?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadConfiguration(f"{path.name} is no policy: {error}. A policy has one [[rules]] per workspace.") from None
    problems = [problem for rule in written.rules for problem in _problems(rule, validities)]
    twice = {rule.app_id for rule in written.rules if [each.app_id for each in written.rules].count(rule.app_id) > 1}
    problems += [f"workspace {app_id} has more than one rule" for app_id in sorted(twice)]
    if problems:
        raise BadConfiguration(f"{path.name} was not applied:\n" + "\n".join(f"  {problem}" for problem in problems))
    rules = tuple(sorted((Rule(**msgspec.structs.asdict(rule)) for rule in written.rules), key=lambda rule: rule.app_id))
    return PolicyFile(written.tenant, Policy(rules=rules, hash=digest(canonical([plain(rule) for rule in rules]))))


def _problems(rule: _Rule, validities: Collection[str]) -> list[str]:
    needs = {"staff_roles": ("roles", bool(rule.roles)), "intercom_roles": ("intercom_roles", bool(rule.intercom_roles))}
    found = []
    if rule.validity not in validities:
        found.append(f"workspace {rule.app_id}: validity '{rule.validity}' is none of {', '.join(sorted(validities))}")
    for validity, (field, given) in needs.items():
        if rule.validity == validity and not given:
            found.append(f"workspace {rule.app_id}: validity {validity} needs {field}, and without any nobody may have access")
        if rule.validity != validity and given:
            found.append(f"workspace {rule.app_id}: {field} means nothing with validity {rule.validity}")
    return found
