"""C1, identified account: it belongs to a known staff member, or it was classified as belonging to none."""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks import evidence
from streams.core.access.checks.check import (
    FAIL,
    HIGH,
    LOW,
    PASS,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    Wording,
    account_result,
)
from streams.core.access.state import addresses
from streams.core.access.state.rows import CitedFact
from streams.core.access.state.staff import StaffMember


def _answer(check: AccountCheck, view: AccountInput) -> CheckOutcome:
    if view.classification:
        return _classified(check, view)
    member = view.match.member
    return _unidentified(check, view) if member is None else _identified(check, view, member)


def _classified(check: AccountCheck, view: AccountInput) -> CheckOutcome:
    decision = view.account.classification
    assert decision is not None
    parameters = {"classification": decision.value or ""}
    result = account_result(check, view, PASS, "classified", parameters=parameters)
    return CheckOutcome(result, (evidence.presence(view), CitedFact(decision.source, parameters)))


def _unidentified(check: AccountCheck, view: AccountInput) -> CheckOutcome:
    ambiguous, candidates = view.match.by == "ambiguous", view.match.candidates
    hinted = bool(candidates) and not ambiguous
    result = account_result(
        check, view, FAIL, "ambiguous" if ambiguous else "not_identified",
        confidence=LOW if hinted or not view.staff_known else HIGH,
        candidates=candidates,
        parameters={"address_rule": addresses.RULE},
    )  # fmt: skip
    return CheckOutcome(result, (evidence.presence(view), *evidence.records(*candidates)))


def _identified(check: AccountCheck, view: AccountInput, member: StaffMember) -> CheckOutcome:
    parameters = {"matched_by": view.match.by, "address_rule": addresses.RULE}
    result = account_result(check, view, PASS, "identified", parameters=parameters, candidates=view.match.candidates)
    return CheckOutcome(result, (evidence.presence(view), *evidence.records(member)))


IDENTIFIED: Final = AccountCheck(
    id="C1",
    uid="IC-1",
    name="identified-account",
    title="User should be identified",
    control="Identification of access holders",
    standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.5.16"),
    severity=3,
    answer=_answer,
    answers_classified=True,
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
    remedy="Import the staff record that has this address, link the account to its owner, or classify it; or remove the teammate.",
)  # fmt: skip
