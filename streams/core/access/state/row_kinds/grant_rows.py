"""The rows of the access agent's table about grants: exemptions and approvals, and what stands under each id."""

from streams.core.access.state.row_kinds.row import Row
from streams.core.access.state.values import DatedName, Exemption, FactReference, Key


class ExemptionRow(Row, frozen=True, tag="exemption", kw_only=True):
    """An exemption of an account, or of a workspace (without account): the fact that granted it, and the date (ms) it was `revoked` at.

    Decisions behind the grant: when the account was `reclassified` (ms), and whom it was linked to.
    """

    app_id: str
    account: str
    check: str
    grant: Exemption
    staff: str | None
    source: FactReference
    revoked: int | None = None
    reclassified: int | None = None
    links: tuple[DatedName, ...] = ()


class GrantId(Row, frozen=True, tag="grant_id"):
    """The latest grant under an id: whom it is for, and its fact. `decision` is the latest one, which the next has to replace."""

    app_id: str
    account: str
    fact: str
    decision: str


class ApprovalRow(Row, frozen=True, tag="approval", kw_only=True):
    """An approval: its grant's id and ticket, from when until when (ms), the fact that granted it, and the date it was `revoked` at."""

    id: str
    ticket: str | None
    starts: int
    expires: int | None
    source: FactReference
    revoked: int | None = None


class ApprovalId(Row, frozen=True, tag="approval_id"):
    """The key of the latest approval under an id, whether it was revoked, and the latest decision, which the next has to replace."""

    key: Key
    decision: str
    revoked: bool = False
