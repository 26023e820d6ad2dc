"""The further checks and S4 against the oracle that was written from docs/access.md: a short form; `scripts/faults --kind further` is the long one."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from streams.core.access.checks import coverage
from streams.core.access.checks.check import PASS, UNKNOWN
from streams.core.access.checks.further import impersonation, login_after_end, made_after_end, provisioning, sign_in_method
from streams.core.access.facts import exemptions
from streams.core.access.facts.activity import remembered
from streams.core.access.processing import teammate_stages
from streams.core.access.state.person import Person
from tests.support.access_histories.rules import VERSIONS, version_of
from tests.support.access_laws.further import further_disagreements, further_history

HISTORIES, SIZE, BATCH = 40, 24, 20
# found by this oracle: a login sent as an entry of the log; an owner who is not certain; an invited address that no source has any more; one credential
# of several that may be revoked; and, of the oracle, a snapshot that begins again after its hour (229), whom a snapshot lacks (108), and a leaver named besides (5088)
DIFFERED_ONCE = (25, 165, 11, 59, 1_171_103_168, 229, 108, 5088)

Patching = Callable[[pytest.MonkeyPatch], Any]


def logins_of_the_log_are_none(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(remembered, "LOGGED_IN_ENTRY", "another")


def uncertain_owners_pass(patch: pytest.MonkeyPatch) -> None:
    for module in (login_after_end, made_after_end):
        right = module.after_the_end

        def passing(*given: Any, right: Any = right, **more: Any) -> Any:
            found = right(*given, **more)
            wrong = found.result.result == UNKNOWN and found.result.held is None
            return found._replace(result=msgspec.structs.replace(found.result, result=PASS)) if wrong else found

        patch.setattr(module, "after_the_end", passing)


def withdrawn_staff_are_invited(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Person, "silent", lambda *_: False)


def detections_never_end(patch: pytest.MonkeyPatch) -> None:
    for module, name in ((sign_in_method, "counting"), (provisioning, "run_of")):
        right = getattr(module, name)
        patch.setattr(
            module, name, lambda check, view, of, right=right: right(check, view._replace(at=view.period.start.time), of)
        )


def consents_never_expire(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(impersonation, "_over", lambda *_: 10**14)


def a_silent_source_is_covered(patch: pytest.MonkeyPatch) -> None:
    right = coverage.of_source
    patch.setattr(coverage, "of_source", lambda row, _, before, now: right(row, None, before, now))


def a_snapshot_that_is_cut_off_breaks_no_series(patch: pytest.MonkeyPatch) -> None:
    right = coverage._of_series
    patch.setattr(coverage, "_of_series", lambda before, _, latest, now: right(before, None, latest, now))


def removals_that_no_webhook_reported_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    right = msgspec.structs.replace

    def replace(row: Any, **changes: Any) -> Any:
        return right(row, **(changes | {"missed_last": 0} if "missed_last" in changes else changes))

    patch.setattr(teammate_stages, "msgspec", SimpleNamespace(structs=SimpleNamespace(replace=replace)))


def exemptions_from_further_checks_are_void(patch: pytest.MonkeyPatch) -> None:
    right = exemptions._is_about
    patch.setattr(exemptions, "_is_about", lambda check, fact: check in ("C1", "C2", "C3", "C4", "C5") and right(check, fact))


def what_leavers_did_is_dated_a_second_later(patch: pytest.MonkeyPatch) -> None:
    for module in (login_after_end, made_after_end):
        right = module.after_the_end

        def later(*given: Any, right: Any = right, **more: Any) -> Any:
            found = right(*given, **more)
            return found._replace(result=msgspec.structs.replace(found.result, since=found.result.since + 1_000))

        patch.setattr(module, "after_the_end", later)


FAULTS: dict[Patching, int] = {  # in the history of which seed each is noticed
    exemptions_from_further_checks_are_void: 8,
    what_leavers_did_is_dated_a_second_later: 11,
    logins_of_the_log_are_none: 25,
    uncertain_owners_pass: 11,
    withdrawn_staff_are_invited: 59,
    detections_never_end: 7,
    consents_never_expire: 26,
    removals_that_no_webhook_reported_are_not_counted: 0,
    a_silent_source_is_covered: 5,
    a_snapshot_that_is_cut_off_breaks_no_series: 60,
}


@pytest.mark.parametrize("first", range(0, HISTORIES, BATCH))
def test_the_agent_agrees_with_the_oracle_about_further_checks_after_each_fact(first):
    found = {
        seed: differing
        for seed in range(first, first + BATCH)
        if (differing := further_disagreements(further_history(seed, SIZE, version_of(seed))))
    }
    assert found == {}


@pytest.mark.parametrize("rules", [VERSIONS[0], VERSIONS[-1]])
@pytest.mark.parametrize("seed", DIFFERED_ONCE)
def test_a_history_that_differed_once_agrees(seed, rules):
    assert further_disagreements(further_history(seed, SIZE, rules)) == []


@pytest.mark.parametrize(("fault", "seed"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_fault_put_into_the_further_checks_is_noticed(fault, seed, monkeypatch):
    fault(monkeypatch)
    assert further_disagreements(further_history(seed, SIZE, VERSIONS[-1]))
