"""A tenant's settings, parsed once for all the records and accounts that are read by them."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from schemas.access.facts import AccessSettings
from schemas.tenancy import GuardSettings
from streams.core.access.state.freshness import Freshness, freshness_of
from streams.core.access.state.row_kinds.rules_rows import ALL
from streams.core.access.state.rows import SettingsRow
from streams.core.access.state.staff import ENDED, WITHDRAWN, absence_of
from streams.core.access.state.values import DatedName, name_at

REGIONS: Final = "regions"
GUARD: Final = "guard"
REMOVED_CALENDARS: Final = "removed_calendars"
RULES: Final = "rules"
_ABSENCE: Final = "absence|"  # of the dates of parts


def regions_of(settings: AccessSettings) -> dict[str, str]:
    """Return where workspaces are that are not in the first region: an entry of `further`, by app id."""
    try:
        return msgspec.json.decode(settings.further.get(REGIONS, "{}"), type=dict[str, str])
    except msgspec.DecodeError:
        return {}


def guard_of(settings: AccessSettings) -> GuardSettings:
    """Return how many a complete listing may lack: an entry of `further`. One that could refuse a listing that lacks nobody counts for nothing."""
    try:
        given = msgspec.json.decode(settings.further.get(GUARD, "{}"), type=GuardSettings)
    except msgspec.DecodeError:
        return GuardSettings()
    return given if given.heads >= 1 and given.percent >= 0 else GuardSettings()


def removed_calendars_of(settings: AccessSettings) -> frozenset[str]:
    """Return the ids of calendars that the configuration once set and does not name any more: an entry of `further`."""
    try:
        return frozenset(msgspec.json.decode(settings.further.get(REMOVED_CALENDARS, "[]"), type=list[str]))
    except msgspec.DecodeError:
        return frozenset()


def rules_of(settings: AccessSettings) -> str | None:
    """Return the rules that the worker which wrote the settings knows: an entry of `further`. None where it says none, or such as are not known here."""
    try:
        version = msgspec.json.decode(settings.further.get(RULES, '""'), type=str)
    except msgspec.DecodeError:
        return None
    return version if version in ALL else None


class ReadSettings:
    """What answers rest on of the settings of a `row`; without one, what holds by default."""

    def __init__(self, row: SettingsRow | None) -> None:
        self.row = row
        self.aliases: Mapping[str, str] = row.settings.alias_domains if row else {}
        self.precedence: Sequence[str] = row.settings.precedence if row else ()
        self.freshness: Mapping[str, Freshness] = freshness_of(row.settings) if row else {}
        self.guard = guard_of(row.settings) if row else GuardSettings()
        self.regions: Mapping[str, str] = regions_of(row.settings) if row else {}
        self._absence = absence_of(row.settings) if row else {}
        self._since = row.since if row else {}

    def since(self, part: str) -> int | None:
        """Return the date of a part of the settings."""
        return self._since.get(part)

    def absence(self, source: str) -> tuple[str, int | None]:
        """Return what absence from a source's complete snapshot means, and since when."""
        return self._absence.get(source, WITHDRAWN), self._since.get(_ABSENCE + source)

    def sources_with_absences(self) -> set[str]:
        """Return the sources whose absence is, or once was, an end."""
        dated = {part.removeprefix(_ABSENCE) for part in self._since if part.startswith(_ABSENCE)}
        return dated | {*(self.row.absences if self.row else ())}

    def absences(self, source: str) -> tuple[DatedName, ...]:
        """Return what absence from a source's complete snapshot has meant, in the order of the log; nothing where it never was an end.

        A row of before knows when it last came to mean another thing alone.
        """
        known = self.row.absences.get(source) if self.row else None
        meaning, since = self.absence(source)
        if known is not None or since is None:
            return known or ()
        return DatedName(WITHDRAWN if meaning == ENDED else ENDED, 0, 0), DatedName(meaning, since, 0)

    def absence_ends(self, source: str, at: int) -> bool:
        """Say whether absence from a source's complete snapshot ends employment at an instant (ms): it did then, or it does now."""
        if self._absence.get(source) == ENDED:
            return True
        return name_at(self.absences(source), at) == ENDED
