"""C7: pending invitations, of a workspace."""

from tests.support.access_oracle.checks.further import entries as log
from tests.support.access_oracle.checks.further.answer import Answer, Options, fails, passes, unknown
from tests.support.access_oracle.log import Key
from tests.support.access_oracle.presence import EXPLICIT_KINDS, Presence
from tests.support.access_oracle.registers import normal, second, translated
from tests.support.access_oracle.state import State


def invitations(state: State, app_id: str, options: Options) -> Answer:
    """Fail where one is pending "of somebody who left, or of an address that no staff source has".

    One that names nobody makes the answer UNKNOWN for `days`.
    """
    found = log.entries(state, app_id, None, log.INVITED)
    named = {normal(entry.metadata["email"]) for entry in found if entry.metadata.get("email")}
    failing = {reason for each in named if _is_pending(state, app_id, each) and (reason := _uninvited(state, each)) is not None}
    if failing:
        return fails("invited_leaver" if "invited_leaver" in failing else "invited_unknown")
    nobody = [entry for entry in found if not entry.metadata.get("email")]
    in_doubt = any(state.now < entry.time + log.days(options) for entry in nobody)
    return unknown("invitee_not_named") if in_doubt else passes()


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


def _uninvited(state: State, address: str) -> str | None:
    """Return why an address is not to be invited, None where a source has it and nobody whom it names has left: as C2 names them, withdrawn or not.

    An address names who has it or had it, and alias domains translate both sides.
    """
    domains = state.alias_domains.value
    form = translated(address, domains)
    people = [p for p in state.people if any(form in {translated(a, domains) for a in r.past_and_present} for r in p.records)]
    if any(person.has_left(state.now) for person in people):
        return "invited_leaver"
    return None if any(not person.is_silent(state.now) for person in people) else "invited_unknown"
