"""Values that name a contact in activities: the customer's own id, or an address.

Each is a record of its own, younger than any: it claims the value, so it gets the assignment of the person who has it, and it never makes or
names a person. Where nobody has it, or too many, its activities wait under a profile of its own.
"""

from urllib.parse import unquote

from schemas.activities.messages import VALUE_KIND
from schemas.profiles.identity import EMAIL, EXTERNAL_ID, PERSON, Claim, ClaimMessage, Key, Scope
from schemas.profiles.registers import PatchCause
from streams.agents.identity.claim_events import send_claim, withdraw_claim
from streams.core.normal_forms import addresses
from streams.engine.agent import Outbox

_PREFIXES = {f"@{EXTERNAL_ID}:": EXTERNAL_ID, f"@{EMAIL}:": EMAIL}


def is_value(record: str) -> bool:
    """Return whether a record is named after a value, and not after a contact."""
    return record.partition(":")[2].startswith(tuple(_PREFIXES))


def claim_value(tenant: str, record: str, cause: PatchCause, *, source: str, trace: str | None, out: Outbox) -> bool:
    """Claim the value that a record is named after, and return whether it is one."""
    entity = record.partition(":")[2]
    if not entity.startswith("@"):
        return False
    kind = next((kind for prefix, kind in _PREFIXES.items() if entity.startswith(prefix)), None)
    if kind is None:
        return False
    value = unquote(entity.partition(":")[2]).strip()
    normal = addresses.normal(value) if kind == EMAIL else value
    message = ClaimMessage(Claim(keys=(Key(kind, normal),) if normal else (), answer_to=VALUE_KIND), cause)
    send_claim(Scope(tenant, PERSON), record, message, source=source, trace=trace, out=out)
    return True


def withdraw_value(tenant: str, record: str, cause: PatchCause, *, source: str, trace: str | None, out: Outbox) -> None:
    """Withdraw the claim of a value, because it was that of somebody who is erased."""
    withdraw_claim(Scope(tenant, PERSON), record, cause, source=source, trace=trace, out=out)
