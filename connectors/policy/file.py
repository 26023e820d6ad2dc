"""A policy written by hand: a TOML file with one `[[rules]]` per workspace. Errors name every problem, not only the first.

tenant = "acme"                  # optional where --tenant is given

[[rules]]
app_id = "abc12345"
validity = "staff_roles"         # all_staff, staff_roles, intercom_roles or ticket
roles = ["Support", "Sales"]     # staff_roles: staff with one of these

[[rules]]
app_id = "def67890"
validity = "intercom_roles"
[rules.intercom_roles]           # the Intercom roles that each staff role allows; "*" allows all
Support = ["Support Agent"]
Operations = ["*"]
"""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.access.facts import Policy, Rule
from schemas.canonical import canonical, digest
from schemas.errors import BadConfiguration
from schemas.plain_values import plain


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    app_id: str
    validity: str
    roles: tuple[str, ...] = ()
    intercom_roles: dict[str, tuple[str, ...]] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[_Rule, ...]
    tenant: str | None = None


class PolicyFile(NamedTuple):
    """A policy, and the tenant that its file names."""

    tenant: str | None
    policy: Policy


def read(path: Path, validities: Collection[str]) -> PolicyFile:
    """Read a policy file. Raises BadConfiguration with every problem in it."""
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except OSError as error:
        raise BadConfiguration(f"{path.name} cannot be read: {error.strerror}. Is the path right?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadConfiguration(f"{path.name} is no policy: {error}. A policy has one [[rules]] per workspace.") from None
    problems = [problem for rule in file.rules for problem in _problems(rule, validities)]
    duplicates = {rule.app_id for rule in file.rules if [each.app_id for each in file.rules].count(rule.app_id) > 1}
    problems += [f"workspace {app_id} has more than one rule" for app_id in sorted(duplicates)]
    if problems:
        raise BadConfiguration(f"{path.name} was not applied:\n" + "\n".join(f"  {problem}" for problem in problems))
    rules = tuple(sorted((Rule(**msgspec.structs.asdict(rule)) for rule in file.rules), key=lambda rule: rule.app_id))
    return PolicyFile(file.tenant, Policy(rules=rules, hash=digest(canonical([plain(rule) for rule in rules]))))


def _problems(rule: _Rule, validities: Collection[str]) -> list[str]:
    fields = {"staff_roles": ("roles", bool(rule.roles)), "intercom_roles": ("intercom_roles", bool(rule.intercom_roles))}
    problems = []
    if rule.validity not in validities:
        problems.append(f"workspace {rule.app_id}: validity '{rule.validity}' is none of {', '.join(sorted(validities))}")
    for validity, (field, present) in fields.items():
        if rule.validity == validity and not present:
            problems.append(f"workspace {rule.app_id}: validity {validity} needs {field}, and without any nobody may have access")
        if rule.validity != validity and present:
            problems.append(f"workspace {rule.app_id}: {field} means nothing with validity {rule.validity}")
    return problems
