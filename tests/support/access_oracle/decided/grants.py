"""Grants: exemptions and approvals, when each covers what it was given for, and when exemptions or approvals cover without a break."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.log import FactDict, LoggedFact, date_of
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.state import State


class Period(NamedTuple):
    """When a grant covers, from `begins` until before `ends`; `stopped` before its time, so that it covers nothing any more."""

    begins: int
    ends: float
    stopped: bool

    def holds(self, now: int) -> bool:
        return not self.stopped and self.begins <= now < self.ends


@dataclass(frozen=True)
class Grant:
    """One grant of an exemption or an approval; `revoked` is the date of its revocation."""

    made: LoggedFact
    revoked: LoggedFact | None

    @property
    def fact(self) -> FactDict:
        return self.made.fact

    @property
    def content(self) -> FactDict:
        content: FactDict = self.fact["grant"]
        return content

    @property
    def begins(self) -> int:
        """When it begins: `starts`, or else the log time of the grant, and not before the grant's date [N54]."""
        starts = self.content.get("starts")
        return latest(self.made.log_time if starts is None else starts, date_of(self.made))

    def period(self, voided: int | None = None) -> Period:
        """Return when it covers. A revocation or a change stops it at once, also where its own date is still ahead [N54]."""
        expires = self.content.get("expires")
        stops = [date for date in (date_of(self.revoked) if self.revoked else None, voided) if date is not None]
        return Period(self.begins, min([float("inf") if expires is None else expires, *stops]), bool(stops))


def grants(state: State, family: str) -> Iterator[Grant]:
    """Yield all grants of a family, also those that are over. Those that are void are no decisions in force."""
    for subject, made in state.decisions.items():
        if subject[0] == family:
            for place, logged in enumerate(made):
                if logged.kind == f"{family}.granted":
                    yield Grant(logged, made[place + 1] if place + 1 < len(made) else None)


def approvals_of(check: CheckInput, person: Person) -> list[Period]:
    """Return when approvals cover "the account (app_id and account) or its owner (`staff`) in that workspace (app_id; null: any)"."""
    covering = []
    for grant in grants(check.state, "approval"):
        app_id, account, staff = (grant.fact.get(name) for name in ("app_id", "account", "staff"))
        of_account = account is not None and (app_id, str(account)) == check.account.key
        of_owner = account is None and staff in person.ids and app_id in (None, check.account.key[0])
        if of_account or of_owner:
            covering.append(grant.period())
    return covering


@dataclass(frozen=True)
class Cover:
    """Since when something is covered without a break; or, if it is not, when the last cover ended. None: never."""

    begun: int | None
    ended: int | None


def unbroken(periods: Sequence[Period], now: int) -> Cover:
    """Return the cover at an instant. A period that is over before it begins never began [N51]."""
    begun = [period for period in periods if period.begins <= now and period.begins < period.ends]
    holding = [period.begins for period in begun if period.holds(now)]
    if not holding:
        ended = max((period.ends for period in begun), default=None)
        return Cover(None, None if ended is None else int(ended))
    since = min(holding)
    while earlier := [period.begins for period in begun if period.begins < since <= period.ends]:
        since = min(earlier)
    return Cover(since, None)
