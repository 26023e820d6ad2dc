"""The scroll of companies: one at a time, the same parameter on each page, and over after a minute without a request."""

from typing import Final

from connectors.simulator.rest.replies import Refused, missing
from schemas.ids import derived

EXPIRES_MS: Final = 60_000


class Scrolls:
    """The workspace's one scroll: its parameter, the last company given, and when it was used last."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._opened = 0
        self._parameter = ""
        self._after = -1
        self._used_ms = 0

    def open(self, now_ms: int) -> str:
        """Begin a scroll and return its parameter. Raises the refusal `scroll_exists` while another one is open."""
        if self._parameter and now_ms - self._used_ms <= EXPIRES_MS:
            raise Refused(400, "scroll_exists", "scroll already exists for this workspace")
        self._opened += 1
        self._parameter, self._after, self._used_ms = derived("scroll", self._app_id, self._opened), -1, now_ms
        return self._parameter

    def resume(self, parameter: str, now_ms: int) -> int:
        """Return the last company that the scroll gave. Raises the refusal of a scroll that is over."""
        if parameter != self._parameter or now_ms - self._used_ms > EXPIRES_MS:
            raise missing("Scroll")
        self._used_ms = now_ms
        return self._after

    def advance(self, after: int) -> None:
        self._after = after

    def close(self) -> None:
        """End the scroll, as its empty page does."""
        self._parameter = ""
