"""What applying a fact led to."""

import msgspec

from schemas.access.read_requests import ReadRequest
from streams.core.access.checks.presence import Period
from streams.core.access.state.directory import Directory
from streams.core.access.state.stage import Stage
from streams.core.access.state.values import AccountKey


class Effect(msgspec.Struct, frozen=True):
    """The outcome for the ledger, and what has to be evaluated again.

    With `all_accounts` every account is evaluated, behind those in `accounts`. `past` is a presence that had ended before it was reported. `follow_up` is the next stage. `directory` is the people as they are now,
    where the fact had to read them. `request` asks for a new reading of the teammates.
    """

    outcome: str
    accounts: set[AccountKey] = set()
    workspaces: set[str] = set()
    past: Period | None = None
    follow_up: Stage = Stage.EVALUATE
    all_accounts: bool = False
    directory: Directory | None = None
    request: ReadRequest | None = None
