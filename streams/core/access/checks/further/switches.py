"""Which further checks a tenant has switched on, and how: the entry `checks` of its settings, by check."""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.access.facts import AccessSettings

TIMER: Final = "further"  # in the place of a check: of the timers for accounts and workspaces whose answers change by themselves
NAME: Final = "checks"  # of the entry of `further`
_MOST_SEVERE: Final = 5  # OCSF severity_id: from 1, informational, to critical
_MOST_DAYS: Final = 3_650_000  # ten thousand years: a date behind them has no name


class Switch(msgspec.Struct, frozen=True):
    """How a further check is done: the severity of its failures (OCSF), and what the check itself asks for.

    `days` is how long an event counts, or a seat may be unused; `accounts` are those that provision; `methods` are allowed sign-in
    methods; `heads` is how many changes of teammates within an hour are a mass change. Null is the check's own choice.
    """

    severity: int | None = None
    days: int | None = None
    accounts: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    heads: int | None = None


Switches = Mapping[str, Switch]


def switches_of(settings: AccessSettings | None) -> Switches:
    """Return the further checks that are switched on, by id. Settings that cannot be read switch none on.

    Anybody in the company's network may write settings. A severity or a number of days that makes no sense is the check's own.
    """
    text = settings.further.get(NAME) if settings else None
    if text is None:
        return {}
    try:
        given = msgspec.json.decode(text, type=dict[str, Switch])
    except msgspec.DecodeError:
        return {}
    return {check: _sensible(switch) for check, switch in given.items()}


def _sensible(switch: Switch) -> Switch:
    odd: dict[str, None] = {}
    if switch.severity is not None and not 1 <= switch.severity <= _MOST_SEVERE:
        odd["severity"] = None
    if switch.days is not None and not 0 <= switch.days <= _MOST_DAYS:
        odd["days"] = None
    return msgspec.structs.replace(switch, **odd) if odd else switch
