"""What an endpoint gets: the request, understood, and the parts of the workspace's API."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from connectors.simulator.rest.faults import Faults
from connectors.simulator.rest.replies import Reply, invalid
from connectors.simulator.rest.scrolls import Scrolls
from connectors.simulator.workspace.workspace import SimulatedWorkspace

Version = tuple[int, int]
_LARGEST = 1 << 53  # as in JSON that every reader understands
UNSTABLE: Version = (99, 0)  # what `Unstable` and `Preview` stand for: later than all numbers


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `url` is that of the endpoint, without its query."""

    workspace: SimulatedWorkspace
    scrolls: Scrolls
    faults: Faults
    version: Version
    url: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    ids: tuple[str, ...]
    now_ms: int

    def size(self, given: Any, default: int, most: int) -> int:
        """Return how many items a page has. Intercom cuts what is too much."""
        return min(most, max(1, self.number(given, default)))

    def number(self, given: Any, default: int) -> int:
        if given is None:
            return default
        try:
            number = int(given)
        except (TypeError, ValueError, OverflowError) as error:
            raise invalid("a number was expected") from error
        if abs(number) > _LARGEST:
            raise invalid("the number is too large")
        return number

    def linked(self, **values: Any) -> str:
        """Return the URL of another page of the same list."""
        return f"{self.url}?{urlencode({**self.query, **{name: str(value) for name, value in values.items()}})}"


Endpoint = Callable[[Call], Reply]
