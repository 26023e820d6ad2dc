"""C1, identified account: it belongs to a known staff member, or it was classified as belonging to none."""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks import evidence
from streams.core.access.checks.check import (
    FAIL,
    HIGH,
    LOW,
    PASS,
    UNKNOWN,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    CheckOutcomes,
    Wording,
    account_result,
)
from streams.core.access.checks.matching import doubt_ended, lost_since, undisputed_since
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.values import CitedFact
from streams.core.normal_forms import addresses


def _answer(check: AccountCheck, view: AccountInput, before: CheckOutcomes) -> CheckOutcome:
    if view.classification:
        return _classified(check, view)
    if view.linked is not None:
        return _identified(check, view, view.linked, view.since(view.linked.first))
    return _by_address(check, view) if view.link is None else _not_known_yet(check, view, view.link)


def _classified(check: AccountCheck, view: AccountInput) -> CheckOutcome:
    decision = view.account.classification
    assert decision is not None
    parameters = {"classification": decision.value or ""}
    since = max(view.period.start.time, decision.since or 0)
    result = account_result(check, view, PASS, "classified", since, parameters=parameters)
    return CheckOutcome(result, (evidence.presence(view), CitedFact(decision.source, parameters)))


def _by_address(check: AccountCheck, view: AccountInput) -> CheckOutcome:
    candidates = view.match.candidates
    since = view.since(view.classified_since)
    if len(candidates) == 1:
        owner, since = candidates[0].person, view.since(view.classified_since, view.owner_since)
        return _identified(check, view, owner, max([since, *_undisputed(view, owner, since)]))
    if candidates:
        second = sorted(candidate.since for candidate in candidates)[1]
        people = sorted((candidate.person for candidate in candidates), key=lambda person: (person.left(view.at), person.id))
        return _unidentified(check, view, "ambiguous", view.since(view.classified_since, second, view.match.alias_date), people)
    since = view.since(view.classified_since, *lost_since(view.account, view.directory))
    return _unidentified(check, view, "not_identified", since, view.match.hints)


def _undisputed(view: AccountInput, owner: Person, since: int) -> list[int]:
    """Return what ended doubt about whose the account is, by rules that ask for it, where that can be after `since`."""
    if not view.begins_after_others:
        return []
    if follows(view.rules, WITH_DOUBT):
        ended = doubt_ended(view.account, view.directory, owner, since)
        return [] if ended is None else [ended]
    return undisputed_since(view.account, view.directory, owner) if view.match.by == "address" else []


def _identified(check: AccountCheck, view: AccountInput, person: Person, since: int) -> CheckOutcome:
    parameters = {"matched_by": "link" if view.link else view.match.by, "address_rule": addresses.RULE}
    result = account_result(check, view, PASS, "identified", since, parameters=parameters)
    return CheckOutcome(result, (evidence.presence(view), *evidence.link(view), *evidence.records(person)), person)


def _unidentified(
    check: AccountCheck, view: AccountInput, reason: str, since: int, people: list[Person] | tuple[Person, ...]
) -> CheckOutcome:
    result = account_result(
        check, view, FAIL, reason, since,
        confidence=HIGH if reason == "ambiguous" else LOW,  # the owner may be known under an address that no source has sent
        candidates=people,
        parameters={"address_rule": addresses.RULE},
    )  # fmt: skip
    return CheckOutcome(result, (evidence.presence(view), *evidence.records(*people)), candidates=tuple(people))


def _not_known_yet(check: AccountCheck, view: AccountInput, link: str) -> CheckOutcome:
    """Answer for a link to somebody without a staff record yet. A finding is open, since it would fail without the link."""
    without = _by_address(check, view).result
    since = view.since()
    held = without.held if without.held is not None else since
    result = account_result(check, view, UNKNOWN, "staff_not_known", since, person=link, held=held)
    return CheckOutcome(result, (evidence.presence(view), *evidence.link(view)))


IDENTIFIED: Final = AccountCheck(
    id="C1",
    uid="IC-1",
    name="identified-account",
    title="User should be identified",
    control="Identification of access holders",
    standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.5.16"),
    severity=3,
    answer=_answer,
    has_grace=True,
    wording=MappingProxyType({
        "not_identified": Wording(
            "{who} is an Intercom teammate of {app_id} whom the staff directory does not know",
            "No staff record has the account's address, no link names its owner, and it was not classified.",
        ),
        "ambiguous": Wording(
            "{who} is an Intercom teammate of {app_id} who could be any of several staff members",
            "Several active staff records have the account's address; none is picked without a decision.",
        ),
        "identified": Wording("{who} is identified in the staff directory", "The account belongs to a known staff member."),
        "classified": Wording("{who} is classified as {classification}", "Somebody decided what this account is."),
    }),
    reworded=MappingProxyType({
        "ambiguous": Wording(
            "{who} is an Intercom teammate of {app_id} who could be any of several staff members",
            "Several staff members, employed or not, have the account's address; none is picked without a decision.",
        ),
    }),
    remedy="Import the staff record that has this address, link the account to its owner, or classify it; or remove the teammate.",
)  # fmt: skip
