"""What the checks of an account look at."""

from dataclasses import dataclass
from typing import Any

from tests.support.access_oracle.accounts import Account
from tests.support.access_oracle.decided.decisions import DecidedValue
from tests.support.access_oracle.matching import Match
from tests.support.access_oracle.presence import Presence
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.state import State


@dataclass(frozen=True)
class CheckInput:
    """One account with the decisions about it."""

    state: State
    account: Account
    stay: Presence  # the stay that the checks are about
    link: DecidedValue
    classification: DecidedValue  # service, shared, system or external; None for an account of a person
    governance: DecidedValue  # the whole classification: kind, owner and end
    match: Match

    def row(self, check: str, status: str, reason: str, since: int, **more: Any) -> Row:
        app_id, account = self.account.key
        return Row(check=check, app_id=app_id, account=account, status=status, reason=reason, since=since, **more)
