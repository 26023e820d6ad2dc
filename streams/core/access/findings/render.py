"""The sentences of findings, from the wording of their checks: what is wrong, and why. `{who}` is the only word about a person."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import UNKNOWN_REASONS, CheckDefinition, Wording
from streams.core.access.state.row_kinds.rules_rows import ALL, WITH_BEGINNINGS, follows

_CLOSED: Final = MappingProxyType({
    "fixed": "Resolved: {message}",
    "not_applicable": "No longer applies: {message}",
    "superseded": "Superseded by {superseded_by}: {message}",
    "voided": "Never held: {message}",
})  # fmt: skip


def message(
    check: CheckDefinition, reason: str, facts: Mapping[str, str], *, closed_for: str | None = None, rules: str = ALL[-1]
) -> str:
    """Return the sentence, as it is by a version of the rules. Parameters that are not known become a dash."""
    known = _Known(facts)
    words = _words(check, reason, rules)
    text = words.message.format_map(known) if words else f"{known['who']}: not known, because {_unknown(check, reason)}"
    return _CLOSED[closed_for].format(message=text, superseded_by=known["superseded_by"]) if closed_for else text


def description(check: CheckDefinition, reason: str, facts: Mapping[str, str], *, rules: str = ALL[-1]) -> str:
    """Return the reason in a sentence without personal data, as it is by a version of the rules."""
    words = _words(check, reason, rules)
    return words.desc.format_map(_Known(facts)) if words else f"Not known: {_unknown(check, reason)}."


def remedy(check: CheckDefinition, facts: Mapping[str, str]) -> str:
    """Return what to do, as far as the parameters call for it."""
    known = _Known(facts)
    return " ".join([check.remedy, *(text.format_map(known) for name, text in check.remedies.items() if name in facts)])


def _words(check: CheckDefinition, reason: str, rules: str) -> Wording | None:
    later = check.reworded.get(reason) if follows(rules, WITH_BEGINNINGS) else None
    return later or check.wording.get(reason)


def _unknown(check: CheckDefinition, reason: str) -> str:
    return check.unknown_reasons.get(reason) or UNKNOWN_REASONS.get(reason, reason)


class _Known(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "-"
