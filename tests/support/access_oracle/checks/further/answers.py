"""The answers of C6 to C16, S1, S3 and S4 at one log time: naive readings of docs/access.md, of everything that the facts say until then.

An answer is PASS, FAIL or UNKNOWN, with the reason that the document has for it. No row and UNKNOWN are the same to a reader, but no data closes nothing: the
caller knows what was open.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tests.support.access_oracle.accounts import Account
from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.checks.further import entries as log
from tests.support.access_oracle.checks.further.answer import PASS, Answer, Options, fails, passes, unknown
from tests.support.access_oracle.checks.further.invitations import invitations
from tests.support.access_oracle.checks.further.mass import mass_change
from tests.support.access_oracle.coverage import is_incomplete
from tests.support.access_oracle.decided.versions import DOUBT
from tests.support.access_oracle.decided.workspaces import known_workspaces, monitoring_of
from tests.support.access_oracle.freshness import interval_of, stale_since
from tests.support.access_oracle.log import TEAMMATE_KINDS
from tests.support.access_oracle.matching import leavers
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.registers import latest, second
from tests.support.access_oracle.rows import check_input
from tests.support.access_oracle.state import State

Answers = dict[tuple[str, str, str], Answer]  # by check, workspace, and account ("" for the workspace)


def further_answers(state: State) -> Answers:
    """Return the answers of all further checks that are on, and of S1, S3 and S4."""
    on = log.switches(state)
    found: Answers = {}
    for app_id in known_workspaces(state):
        monitoring = monitoring_of(state, app_id)
        if monitoring is None or not monitoring.on:
            continue
        found["S1", app_id, ""] = fails("snapshot_incomplete") if is_incomplete(state, app_id) else passes()
        found["S3", app_id, ""] = passes()  # no listing of these histories is refused: their guards are those of large ones
        found["S4", app_id, ""] = _stale_sources(state)
        for check, of_workspace in (("C7", invitations), ("C16", mass_change)):
            if check in on:
                found[check, app_id, ""] = of_workspace(state, app_id, on[check])
    for (app_id, id_), account in state.accounts.items():
        monitoring = monitoring_of(state, app_id)
        if monitoring is None or not monitoring.on or f"operator+{app_id}@intercom.io" in account.addresses:
            continue
        for check in on.keys() & _OF_ACCOUNTS.keys():
            found[check, app_id, id_] = _of_account(state, account, check, on[check])
    return found


def _of_account(state: State, account: Account, check: str, options: Options) -> Answer:
    """A removed account has no answers but C13, so nothing of it is open; one whose presence is in doubt has none that is known.

    In doubt, what is open was of the stay before that second, and ends where that has nothing open, or where there was none.
    """
    status, before = account.presence.status, account.presence.before
    if status == "active" or (status == "removed" and check == "C13"):
        return _OF_ACCOUNTS[check](check_input(state, account, account.presence), options)
    if status == "contradiction" and before is not None and before.status == "active":
        undoubted = _OF_ACCOUNTS[check](check_input(state, account, before), options)
        return unknown("presence_unsettled", closes=undoubted.result == PASS)
    return unknown("presence_unsettled", closes=True) if status == "contradiction" else passes()


def _stale_sources(state: State) -> Answer:
    """S4: "no staff source that reports at an interval has missed three of them"; one that never reported is stale from the first.

    The configuration names its sources in `precedence`; others are known once they were observed.
    """
    name = state.interpretation.freshness_name
    named = {*state.observed_at, *(state.setting(lambda settings: settings.get("precedence")).value or ())}
    sources = [s for s in named if state.setting(lambda settings, of=s: interval_of(settings, of, name)).value]
    return fails("source_stale") if any(stale_since(state, source) is not None for source in sources) else passes()


def certain_owner(check: CheckInput) -> Person | None:
    """Return whose the account is, None where that "is not certain": a link says it, or one address that names nobody besides."""
    state = check.state
    if check.link.value is not None:
        return state.person_of(check.link.value)
    if len(check.match.people) != 1:
        return None
    person = check.match.people[0][0]
    others = [named for named in leavers(state, check.account) if named.id != person.id] if state.version >= DOUBT else []
    return (
        None if others and not person.has_left(state.now) else person
    )  # as in C2: who left has left, whom else the address names


def _login_after_end(check: CheckInput, _: Options) -> Answer:
    """C6: "somebody who left logs in"; it closes "with the account's removal", so logins of an earlier stay count no more."""
    reported = log.entries(check.state, *check.account.key, (log.LOGIN,))
    return _done_after_end(check, (log.LOGIN,), "login_after_end", None if reported else "logins_not_reported")


def _made_after_end(check: CheckInput, _: Options) -> Answer:
    """C12: "somebody who left makes a token, secret or export"."""
    reported = log.log_is_known(check.state, check.account.key[0])
    return _done_after_end(check, log.MADE, "made_after_end", None if reported else "activity_log_not_reported")


def _done_after_end(check: CheckInput, types: tuple[str, ...], reason: str, silent: str | None) -> Answer:
    owner = certain_owner(check)
    if owner is None:
        return unknown(silent or "account_not_identified")
    if owner.end is None or not owner.has_left(check.state.now):
        return passes()
    since = latest(owner.end.instant, check.stay.since)
    if any(entry.time >= since for entry in log.entries(check.state, *check.account.key, types)):
        return fails(reason)
    return passes() if silent is None else unknown(silent)


def _added_again(check: CheckInput, options: Options) -> Answer:
    """C8: "a teammate was removed by an event and is added again", by an event, or as a complete snapshot has it."""
    over = check.stay.since + log.days(options)
    return fails("added_again") if check.stay.removed_before is not None and check.state.now < over else passes()


def _changed_by_hand(check: CheckInput, options: Options) -> Answer:
    """C9: "an account that is not in `accounts` changes a role or seat"; UNKNOWN without `accounts`."""
    if not options.get("accounts"):
        return unknown("path_not_configured")
    if check.account.key[1] in options["accounts"]:
        return passes()
    changes = of_this_stay(check, log.entries(check.state, *check.account.key, log.CHANGES))
    return fails("changed_by_hand") if any(check.state.now < entry.time + log.days(options) for entry in changes) else passes()


def of_this_stay(check: CheckInput, found: list[log.LogEntry]) -> list[log.LogEntry]:
    """ "The account's removal closes it": what was done in an earlier stay opens nothing in this one."""
    return [entry for entry in found if entry.time >= check.stay.since]


def _two_factor(check: CheckInput, _: Options) -> Answer:
    """C10: "it is switched off", until "it is on again"; an entry that does not say on or off is UNKNOWN."""
    found = of_this_stay(check, log.entries(check.state, *check.account.key, (log.TWO_FACTOR,)))
    if not found:
        return unknown()
    last = {entry.metadata.get("enabled") for entry in found if second(entry.time) == second(found[-1].time)}
    return passes() if last == {True} else fails("two_factor_off") if last == {False} else unknown("metadata_unknown")


def _sign_in_method(check: CheckInput, options: Options) -> Answer:
    """C11: "Intercom refuses the method, or it is none of `methods`"; logins of which none says its method are UNKNOWN.

    One login comes twice, by its own webhook without a method, and as an entry of the log with one.
    """
    if any(check.state.now < entry.time + log.days(options) for entry in wrong_methods(check, options)):
        return fails("other_method")
    logins = of_this_stay(check, log.entries(check.state, *check.account.key, (log.LOGIN,)))  # a refused one is none
    named = any("sign_in_method" in entry.metadata for entry in logins)
    return unknown("method_not_reported") if logins and options.get("methods") and not named else passes()


def wrong_methods(check: CheckInput, options: Options) -> list[log.LogEntry]:
    """Return the logins of this stay by none of `methods`, and those that were refused for theirs."""
    methods = options.get("methods")
    found = of_this_stay(check, log.entries(check.state, *check.account.key, (log.LOGIN, log.REFUSED)))
    return [
        e for e in found if e.type == log.REFUSED or (methods and e.metadata.get("sign_in_method", methods[0]) not in methods)
    ]


def _credentials_left(check: CheckInput, _: Options) -> Answer:
    """C13: "somebody who left has made what may still work"; "something revoked without saying what" is UNKNOWN."""
    owner = certain_owner(check)
    if owner is None:
        return unknown("account_not_identified")
    if not owner.has_left(check.state.now):
        return passes()
    made = log.entries(check.state, *check.account.key, tuple(log.CREDENTIALS))
    if not made:
        return passes()
    revoked = log.entries(check.state, check.account.key[0], None, tuple(log.CREDENTIALS.values()))
    doubtful = [m for m in made if any(r.type == log.CREDENTIALS[m.type] and r.time >= m.time for r in revoked)]
    return fails("credentials_left") if len(doubtful) < len(made) else unknown("may_be_revoked")


def _consent(check: CheckInput, options: Options) -> Answer:
    """C14: "Intercom's staff may act as the teammate", until "it expires, or is revoked".

    One that does not say when it expires does so after `days`; a revocation or a consent that names none is of any.
    """
    return fails("consent") if holding(check, options) else passes()


def holding(check: CheckInput, options: Options) -> list[log.LogEntry]:
    """Return the consents of this stay that hold."""
    given = log.entries(check.state, *check.account.key, (log.CONSENT,))
    revoked = log.entries(check.state, check.account.key[0], None, (log.CONSENT_REVOKED,))

    def holds(entry: log.LogEntry) -> bool:
        expires = entry.metadata.get("expired_at")
        over = int(expires) * 1000 if expires is not None else entry.time + log.days(options)
        id_ = entry.metadata.get("consent_id")
        later = [each.metadata.get("consent_id") for each in revoked if each.time >= entry.time]
        return check.state.now < over and not any(id_ is None or other in (id_, None) for other in later)

    return [entry for entry in of_this_stay(check, given) if holds(entry)]


def _seat(check: CheckInput, options: Options) -> Answer:
    """C15: "a seat shows no sign of life for `days` (90)"; a payload without the seat is UNKNOWN, as is a workspace of which no sign of life was ever reported."""
    state, key = check.state, check.account.key
    seat = seat_of(check)
    if seat is None or not log.signs_of_life(state, key[0]):
        return unknown("seat_not_known" if seat is None else "no_signs_reported")
    last = max([check.stay.since, *log.signs_of_life(state, *key)])
    return fails("unused") if seat and state.now >= last + log.days(options, 90) else passes()


def seat_of(check: CheckInput) -> bool | None:
    """Return whether the account has a seat, as the latest payload that says so has it."""
    named: dict[int, bool] = {}
    rows = [(row, listing.requested) for listing in check.state.listings for row in listing.rows]
    facts = [(f, f.fact["time"]) for f in check.state.facts if f.kind in TEAMMATE_KINDS]
    for logged, time in [*facts, *rows]:
        seat = (logged.fact.get("admin") or {}).get("has_inbox_seat")
        if seat is not None and (logged.fact["app_id"], str(logged.fact["account"])) == check.account.key:
            named[time] = seat
    return named[max(named)] if named else None


_OF_ACCOUNTS: Final[Mapping[str, Callable[[CheckInput, Options], Answer]]] = MappingProxyType({
    "C6": _login_after_end, "C8": _added_again, "C9": _changed_by_hand, "C10": _two_factor, "C11": _sign_in_method,
    "C12": _made_after_end, "C13": _credentials_left, "C14": _consent, "C15": _seat,
})  # fmt: skip
