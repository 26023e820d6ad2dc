"""Faults of the simulated Intercom: what can be switched on when it starts, and while it runs."""

from typing import Annotated, Any, Literal

import msgspec

from schemas.errors import BadConfiguration

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class PathFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests below `path` go wrong, after so many that did not, and so often (0: always).

    `how` is an error with this status, an answer of HTML, or a connection that is cut in the middle of the body.
    """

    path: str
    how: Literal["status", "html", "cut"] = "status"
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 500
    code: str = "server_error"
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    times: Annotated[int, msgspec.Meta(ge=0)] = 0


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All switches. Paths are beginnings of paths; the defaults are Intercom on a good day."""

    token_revoked: bool = False
    plan_restricted: tuple[str, ...] = ()
    scopes_missing: tuple[str, ...] = ()
    paths: tuple[PathFault, ...] = ()
    scroll_taken: bool = False
    repeated_pages: bool = False
    skipped_items: Annotated[int, msgspec.Meta(ge=0, le=150)] = 0
    next_as: Literal["usual", "object", "url"] = "usual"
    end_as: Literal["usual", "absent", "null"] = "usual"
    escaped_names: bool = False
    date_off_s: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)] = 0
    search_delay_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    lost: Share = 0.0
    duplicated: Share = 0.0
    disorder: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    outage: bool = False


class FaultSwitches:
    """The faults in force, and how often each fault of a path has been met."""

    def __init__(self, faults: Faults) -> None:
        self.now = faults
        self._met: dict[int, int] = {}

    def change(self, values: Any) -> None:
        """Change some switches, the others stay. Raises msgspec.ValidationError for values that are none."""
        self.now = msgspec.convert({**msgspec.to_builtins(self.now), **msgspec.convert(values, dict[str, Any])}, Faults)
        if "paths" in values:
            self._met.clear()

    def reset(self) -> None:
        self.now = Faults()
        self._met.clear()

    def of(self, path: str) -> PathFault | None:
        """Return the fault that this request meets, and count it."""
        for place, fault in enumerate(self.now.paths):
            if path.startswith(fault.path):
                met = self._met[place] = self._met.get(place, 0) + 1
                if met > fault.after and (not fault.times or met <= fault.after + fault.times):
                    return fault
        return None


def faults_of(switches: tuple[str, ...]) -> Faults:
    """Understand switches of a command line, each NAME or NAME=VALUE with the value in JSON. Raises BadConfiguration."""
    values: dict[str, Any] = {}
    for switch in switches:
        name, given, value = switch.partition("=")
        try:
            values[name] = msgspec.json.decode(value) if given else True
        except msgspec.DecodeError:
            values[name] = value
    try:
        return msgspec.convert(values, Faults)
    except msgspec.ValidationError as error:
        raise BadConfiguration(
            f"--fault: {error}. Known are {', '.join(Faults.__struct_fields__)}; an example is --fault duplicated=0.2"
        ) from error
