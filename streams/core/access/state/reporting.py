"""Which staff sources of a tenant report, as its settings expect it of them and its rows show it."""

from streams.core.access.state.freshness import Sign, interval_of, stale_since
from streams.core.access.state.read_settings import ReadSettings
from streams.core.access.state.tenant import TenantState


class Reporting:
    """The sources of a tenant as its rows have them. To be made again once the settings, or what was observed of a source, have changed."""

    def __init__(self, state: TenantState, settings: ReadSettings) -> None:
        self._state = state
        self._settings = settings
        self._signs: dict[str, tuple[Sign, ...]] = {}

    def stale_since(self, source: str, at: int) -> int | None:
        """Return since when (ms) a source is stale at an instant, or None. It is not before the settings that say how it reports."""
        interval = interval_of(self._settings.freshness.get(source))
        if interval is None:
            return None
        if source not in self._signs:
            row = self._state.signs.get(source)
            self._signs[source] = row.signs if row else ()
        stale = stale_since(self._signs[source], interval, at)
        return None if stale is None else max(stale, self._settings.since(f"freshness|{source}") or 0)
