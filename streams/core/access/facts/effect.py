"""What applying a fact led to."""

import msgspec

from streams.core.access.checks.presence import Period
from streams.core.access.state.rows import AccountKey
from streams.core.access.state.stage import Stage


class Effect(msgspec.Struct, frozen=True):
    """The outcome for the ledger, and what has to be evaluated again.

    `past` is a presence that had ended before it was reported; `interrupted` is when a presence ended, where a late fact shows that before it began
    again. `follow_up` is the next stage, about `snapshot` where it concerns one.
    """

    outcome: str
    accounts: set[AccountKey] = set()
    workspaces: set[str] = set()
    past: Period | None = None
    interrupted: int | None = None
    follow_up: Stage = Stage.EVALUATE
    snapshot: str = ""
