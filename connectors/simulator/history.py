"""What a scenario consists of: posts and staff files, in the order of the events they report."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator

import msgspec

from connectors.simulator.payloads import Item, notification
from schemas.ids import derived

_ADMIN_IDS = 9_000_000  # Intercom's teammate ids are numbers of seven digits


class SimulatedPost(msgspec.Struct, frozen=True):
    """One webhook. `about` describes its event for a reader; `at_ms` is the time of that event."""

    topic: str
    body: bytes
    about: str
    at_ms: int


class SimulatedStaff(msgspec.Struct, frozen=True):
    """One line of the company's staff file; `end` is the last day of employment or the instant it ended, empty while employed."""

    id: str
    name: str
    email: str
    roles: str
    end: str = ""


class StaffFileStep(msgspec.Struct, frozen=True):
    """The whole staff directory from `at_ms` on."""

    rows: tuple[SimulatedStaff, ...]
    about: str
    at_ms: int


def as_csv(rows: Iterable[SimulatedStaff]) -> str:
    """Return the rows as a staff file in CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, SimulatedStaff.__struct_fields__, lineterminator="\n")
    writer.writeheader()
    writer.writerows(msgspec.structs.asdict(row) for row in rows)
    return text.getvalue()


Step = SimulatedPost | StaffFileStep


class Scene(msgspec.Struct, frozen=True):
    """Workspace, start time and seed of a scenario. All ids derive from these: the same scene gives the same bytes."""

    app_id: str
    start_ms: int
    seed: int = 1

    def id(self, kind: str, name: str) -> str:
        """Return an Intercom id (24 hexadecimal digits) for an object that the scenario calls by a name."""
        return hashlib.sha256(f"{self.app_id}|{self.seed}|{kind}|{name}".encode()).hexdigest()[:24]

    def admin_id(self, name: str) -> int:
        """Return a teammate's id, a number."""
        return 1_000_000 + int(self.id("admin", name), 16) % _ADMIN_IDS

    def at(self, seconds: float) -> int:
        """Return the time that many seconds after the start, in ms since 1970."""
        return self.start_ms + int(seconds * 1000)

    def post(self, topic: str, item: Item, *, at_ms: int, about: str) -> SimulatedPost:
        """Return the webhook with `item`; its notification id derives from scene, topic, time and item."""
        fingerprint = hashlib.sha256(msgspec.json.encode(item)).hexdigest()
        number = derived("simulator", self.app_id, self.seed, topic, at_ms, fingerprint)
        body = notification(topic, item, id=f"notif_{number}", app_id=self.app_id, created_s=at_ms // 1000)
        return SimulatedPost(topic, body, about, at_ms)


Scenario = Callable[[Scene], Iterator[Step]]
