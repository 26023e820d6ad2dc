"""Grants: exemptions and approvals, when each covers what it was given for, and when exemptions or approvals cover without a break."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.log import FactDict, LoggedFact, date_of
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.state import State

Period = tuple[int, float, float]  # begin, end, and the date of the end


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

    def period(self, now: int, *ends: int | None) -> Period:
        """Return when it covers, and the date of its end; what ends it by a fact has ended it by now, whatever its date."""
        expires = self.content.get("expires")
        over = float("inf") if expires is None else expires
        dates = [date for date in (date_of(self.revoked) if self.revoked else None, *ends) if date is not None]
        return self.begins, min(over, *(min(date, now) for date in dates), over), min(over, *dates, over)


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
            covering.append(grant.period(check.state.now))
    return covering


@dataclass(frozen=True)
class Cover:
    """Since when something is covered without a break; or, if it is not, when the last cover ended. None: never."""

    begun: int | None
    ended: int | None


def unbroken(periods: Sequence[Period], now: int) -> Cover:
    """Return the cover at an instant. A period that is over before it begins never began [N51]."""
    begun: int | None = None
    ended: float | None = None
    over = dated = float("-inf")
    for begins, ends, date in sorted(period for period in periods if period[0] < period[1] and period[0] <= now):
        begun = begins if begins > over else begun
        dated = date if ends > over else max(dated, date) if ends == over else dated
        over = max(over, ends)
        ended = dated if over <= now else None
    return Cover(None, int(ended)) if ended is not None else Cover(begun, None)
