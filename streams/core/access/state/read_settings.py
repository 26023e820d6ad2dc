"""A tenant's settings, parsed once for all the records and accounts that are read by them."""

from collections.abc import Mapping, Sequence

from streams.core.access.state.freshness import Freshness, freshness_of
from streams.core.access.state.rows import SettingsRow
from streams.core.access.state.staff import WITHDRAWN, absence_of


class ReadSettings:
    """What answers rest on of the settings of a `row`; without one, what holds by default."""

    def __init__(self, row: SettingsRow | None) -> None:
        self.row = row
        self.aliases: Mapping[str, str] = row.settings.alias_domains if row else {}
        self.precedence: Sequence[str] = row.settings.precedence if row else ()
        self.freshness: Mapping[str, Freshness] = freshness_of(row.settings) if row else {}
        self._absence = absence_of(row.settings) if row else {}
        self._since = row.since if row else {}

    def since(self, part: str) -> int | None:
        """Return the date of a part of the settings."""
        return self._since.get(part)

    def absence(self, source: str) -> tuple[str, int | None]:
        """Return what absence from a source's complete snapshot means, and since when."""
        return self._absence.get(source, WITHDRAWN), self._since.get(f"absence|{source}")
