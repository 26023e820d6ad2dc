"""Policies of profiles as people write them: read, checked against what is known, and refused whole with every problem and its line."""

import difflib
import tomllib
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from schemas.catalogue import shipped
from schemas.errors import BadConfiguration, InvalidRecord
from schemas.profiles.policies import (
    EVERY_SOURCE,
    FIELD_STRATEGIES,
    KINDS,
    ORG,
    PERSON,
    STRATEGIES,
    FieldPolicy,
    ProfilePolicy,
    SourceStrategy,
)
from schemas.profiles.policy_text import FieldText, PolicyDocument, PolicyText, Sources
from schemas.tenancy import Tenancy, Tenant
from streams.core.profiles.condition_fields import fields_of
from streams.core.profiles.orgs import ORG as ORG_SCHEMA
from streams.core.profiles.patterns import ANY, matcher
from streams.core.profiles.people import PERSON as PERSON_SCHEMA
from streams.core.profiles.public_schema import PublicSchema
from streams.core.profiles.selection import HIDDEN, Selection, failing_constants
from streams.core.profiles.storage import LIST_OF_KIND, names_consent
from streams.settings.parse import Problem, Report, parse
from streams.settings.toml_lines import line_of

SCHEMAS: Final[dict[str, PublicSchema]] = {PERSON: PERSON_SCHEMA, ORG: ORG_SCHEMA}
NOUNS: Final = {PERSON: "people", ORG: "organisations"}
"""What profiles of a kind are called in sentences."""
_MAPS: Final = ("attributes.", "traits.")
_LEAST_KEY: Final = 32  # characters, of the key of hashes: who guesses it can find out which value a hash is of


class AppliedFile(NamedTuple):
    """A policy, whose it is, and for what."""

    tenant: str
    kind: str
    policy: ProfilePolicy


TenantOf = Callable[[str | None], str]
"""Return a tenant that was named, or the only one. Raises BadConfiguration for others."""


def read(path: Path, tenancy: Tenancy, named: str | None, tenant_of: TenantOf) -> AppliedFile:
    """Read a file. Whose policy it is says `named`, else the file, else `tenant_of`. Raises BadConfiguration with every problem."""
    try:
        source = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(source)
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path.name} cannot be read: {error}. Is the path right?") from None
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(f"{path.name} is not TOML: {error}. Texts need quotes; a table is [name].") from None
    problems: list[Problem] = []

    def report(where: str, text: str) -> None:
        problems.append(Problem(where, text))

    parsed = parse(document, PolicyDocument, "", report)
    if parsed is not None and parsed.kind not in KINDS:
        report("kind", f"expected person or org, found {parsed.kind!r}")
    if problems:
        raise _refused(path, source, problems)
    if named and parsed.tenant and named != parsed.tenant:
        raise BadConfiguration(f"{path.name} is a policy of tenant '{parsed.tenant}', and --tenant says '{named}'.")
    tenant = tenancy.tenants[tenant_of(named or parsed.tenant)]
    check(parsed, parsed.kind, tenant, report)
    if problems:
        raise _refused(path, source, problems)
    return AppliedFile(tenant.id, parsed.kind, policy_of(parsed))


def check_policies(tenants: Sequence[Tenant], report: Report) -> None:
    """Report every problem of `[tenants.policies]` and of the key of hashes."""
    for at, tenant in enumerate(tenants):
        key = tenant.profiles.hash_key.reveal()
        if key and len(key) < _LEAST_KEY:
            report(
                f"tenants[{at}].profiles.hash_key",
                f"expected a secret of at least {_LEAST_KEY} characters, such as `openssl rand -hex 32` makes",
            )
        for kind, text in configured(tenant):
            check(text, kind, tenant, partial(_report_at, report, f"tenants[{at}].policies.{kind}"))


def _report_at(report: Report, prefix: str, where: str, problem: str) -> None:
    report(f"{prefix}.{where}", problem)


def configured(tenant: Tenant) -> Iterator[tuple[str, PolicyText]]:
    """Yield the policies of a tenant in the configuration."""
    for kind, text in ((PERSON, tenant.policies.person), (ORG, tenant.policies.org)):
        if text is not None:
            yield kind, text


def check(text: PolicyText, kind: str, tenant: Tenant, report: Report) -> None:
    """Report what a policy names that is not known, and a condition that is none."""
    names = _Names(SCHEMAS[kind])
    _check_strategies(text, known_sources(tenant), report)
    for pattern in text.fields:
        if problem := names.problem(pattern, storing=False):
            report(f"fields.{pattern}", problem)
    for key, patterns in (("allow", text.allow or ()), ("deny", text.deny), ("hash", text.hash)):
        for number, pattern in enumerate(patterns):
            if problem := names.problem(pattern, storing=key == "allow"):
                report(f"{key}[{number}]", problem)
    if text.hash and not tenant.profiles.hash_key:
        report("hash", "needs a key; set hash_key under [tenants.profiles] in the configuration, the same for all workers")
    if text.select is not None:
        _check_condition(text.select, kind, report)


def _check_condition(condition: str, kind: str, report: Report) -> None:
    try:
        Selection(condition, kind=kind, nullable=SCHEMAS[kind].nullable)
    except InvalidRecord as error:
        report("select", str(error))
        return
    for problem in failing_constants(condition):
        report("select", problem)
    known = sorted({field["name"] for field in shipped().current[kind].definition["fields"]} - HIDDEN)
    for name in sorted(fields_of(condition, kind) - {*known}):
        problem = _unknown(f"field of {NOUNS[kind]}", name, known)
        report("select", f"{problem}; an attribute is {kind}.attributes.{name}")


def _check_strategies(text: PolicyText, known: Collection[str], report: Report) -> None:
    if text.strategy not in STRATEGIES:
        report("strategy", _unknown("strategy", text.strategy, STRATEGIES))
    _check_sources("priority", text.priority, known, report)
    for source, rules in text.sources.items():
        _check_sources(f"sources.{source}", [source], known, report)
        if rules.strategy not in STRATEGIES:
            report(f"sources.{source}.strategy", _unknown("strategy", rules.strategy, STRATEGIES))
    for pattern, field in text.fields.items():
        _check_field(f"fields.{pattern}", field, known, report)


def policy_of(text: PolicyText) -> ProfilePolicy:
    """Return what a policy says, in one order, so that equal policies are equal whatever they are written in."""
    return ProfilePolicy(
        enabled=text.enabled,
        strategy=text.strategy,
        priority=text.priority,
        sources=tuple(SourceStrategy(source, text.sources[source].strategy) for source in sorted(text.sources)),
        fields=tuple(_field(pattern, text.fields[pattern]) for pattern in sorted(text.fields)),
        allow=None if text.allow is None else _ordered(text.allow),
        deny=_ordered(text.deny),
        hash=_ordered(text.hash),
        select=text.select,
        archive_deleted=text.archive_deleted,
        email=text.permissions.email,
        sms=text.permissions.sms,
    )


def known_sources(tenant: Tenant) -> list[str]:
    """Return the sources whose records a tenant has."""
    return sorted({*(workspace.app_id for workspace in tenant.workspaces), *(source.name for source in tenant.sources)})


class _Names:
    """The names of fields and lists that a policy may mean."""

    def __init__(self, schema: PublicSchema) -> None:
        lists = [name for name, kind in schema.lists.items() if kind in LIST_OF_KIND]
        self._known = sorted({*schema.fields, *lists})
        self._of = NOUNS[schema.kind]

    def problem(self, pattern: str, *, storing: bool) -> str | None:
        if names_consent(pattern):
            return None if storing else f"{pattern} is consent, which is always stored and of which the most restrictive counts"
        if pattern.startswith(_MAPS) and len(pattern) > len("traits."):
            return None
        if ANY in pattern:
            begins_with_any = pattern.startswith(ANY)
            matches = matcher([pattern])
            return None if begins_with_any or any(map(matches, self._known)) else self._unknown(pattern)
        return None if pattern in self._known else self._unknown(pattern)

    def _unknown(self, pattern: str) -> str:
        hint = _unknown(f"field or list of {self._of}", pattern, self._known)
        return f"{hint}, attributes.NAME, traits.NAME, and patterns of these with *"


def _check_field(path: str, field: FieldText, known: Collection[str], report: Report) -> None:
    if field.strategy is not None and field.strategy not in FIELD_STRATEGIES:
        report(f"{path}.strategy", _unknown("strategy of a field", field.strategy, FIELD_STRATEGIES))
    for key, sources in (("only_empty", field.only_empty), ("locked", field.locked), ("priority", field.priority)):
        if not isinstance(sources, bool):
            _check_sources(f"{path}.{key}", sources, known, report)


def _check_sources(path: str, sources: Sequence[str], known: Collection[str], report: Report) -> None:
    for source in sources:
        if source not in known:
            report(path, _unknown("source", source, known))


def _field(pattern: str, text: FieldText) -> FieldPolicy:
    return FieldPolicy(pattern, text.strategy, _sources(text.only_empty), _sources(text.locked), text.priority)


def _sources(sources: Sources) -> tuple[str, ...]:
    if isinstance(sources, bool):
        return (EVERY_SOURCE,) if sources else ()
    return _ordered(sources)


def _ordered(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"there is no {what} {name!r}{f'; did you mean {near[0]}?' if near else ''}; known: {', '.join(known) or 'none'}"


def _refused(path: Path, source: str, problems: list[Problem]) -> BadConfiguration:
    lines = []
    for problem in problems:
        line = line_of(source, problem.path)
        lines.append(f"  {problem.path}{f' (line {line})' if line else ''}: {problem.text}")
    return BadConfiguration("\n".join([f"{path.name} was not applied:", *lines]))
