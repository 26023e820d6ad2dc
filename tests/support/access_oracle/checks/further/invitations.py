"""C7: pending invitations, of a workspace."""

from tests.support.access_oracle.checks.further import entries as log
from tests.support.access_oracle.checks.further.answer import Answer, Options, fails, passes, unknown
from tests.support.access_oracle.log import Key
from tests.support.access_oracle.presence import EXPLICIT_KINDS, Presence
from tests.support.access_oracle.registers import latest, normal, second, translated
from tests.support.access_oracle.state import State


def invitations(state: State, app_id: str, options: Options) -> Answer:
    """Fail where one is pending "of somebody who left, or of an address that no staff source has".

    One that names nobody makes the answer UNKNOWN for `days`.
    """
    reasons = {reason for reason, _ in not_to_be_invited(state, app_id)}
    if reasons:
        return fails("invited_leaver" if "invited_leaver" in reasons else "invited_unknown")
    nobody = [entry for entry in log.entries(state, app_id, None, log.INVITED) if not entry.metadata.get("email")]
    in_doubt = any(state.now < entry.time + log.days(options) for entry in nobody)
    return unknown("invitee_not_named") if in_doubt else passes()


def not_to_be_invited(state: State, app_id: str) -> list[tuple[str, int]]:
    """Return why each pending invitation fails, and since when: its latest entry, or the end of whom the address names, if that is later."""
    invited: dict[str, int] = {}
    for entry in log.entries(state, app_id, None, log.INVITED):
        if entry.metadata.get("email"):
            invited[normal(entry.metadata["email"])] = entry.time
    found = {address: _uninvited(state, address) for address in invited if _is_pending(state, app_id, address)}
    return [(why[0], latest(invited[address], why[1])) for address, why in found.items() if why is not None]


def _is_pending(state: State, app_id: str, address: str) -> bool:
    """Whether the address was invited, and neither "it is withdrawn" nor "the invited joins" came after."""
    types = (*log.INVITED, log.UNINVITED)
    entries = [e for e in log.entries(state, app_id, None, types) if normal(e.metadata.get("email") or "") == address]
    last = max(second(entry.time) for entry in entries)
    if any(entry.type == log.UNINVITED for entry in entries if second(entry.time) == last):
        return False
    begun = max((e.time for e in entries if e.type == log.UNINVITED), default=None)
    invited = min(e.time for e in entries if e.type in log.INVITED and (begun is None or e.time > begun))
    accounts = {key: a for key, a in state.accounts.items() if key[0] == app_id and address in a.past_and_present}
    return not any(_is_there(account.presence, invited) or _was_there(state, key, invited) for key, account in accounts.items())


def _is_there(presence: Presence, invited: int) -> bool:
    """Whether the account is there, was removed only since it was invited, or was in a stay that is in doubt [N65]."""
    if presence.status == "removed":
        return presence.since >= invited
    return presence.status == "active" or (presence.before is not None and presence.before.status == "active")


def _was_there(state: State, key: Key, since: int) -> bool:
    """Whether the account was in the workspace at or after that time: added, listed, or removed only then."""
    facts = [(f, f.fact["time"]) for f in state.facts if f.kind in EXPLICIT_KINDS]
    facts += [(row, listing.requested) for listing in state.listings for row in listing.rows]
    return any((f.fact["app_id"], str(f.fact["account"])) == key and second(time) >= second(since) for f, time in facts)


def _uninvited(state: State, address: str) -> tuple[str, int | None] | None:
    """Return why an address is not to be invited, with the first end of whom it names; None where a source has it and nobody whom it names has left.

    Who left is named as C2 names them, withdrawn or not.

    An address names who has it or had it, and alias domains translate both sides.
    """
    domains = state.alias_domains.value
    form = translated(address, domains)
    people = [p for p in state.people if any(form in {translated(a, domains) for a in r.past_and_present} for r in p.records)]
    ends = [person.end.instant for person in people if person.end is not None and person.has_left(state.now)]
    if ends:
        return "invited_leaver", min(ends)
    return None if any(not person.is_silent(state.now) for person in people) else ("invited_unknown", None)
