"""The stage in which the timers fire that are due by a fact's log time, the earliest first, each as of its own instant.

The cause of what follows is the fact that armed a timer, never the tick: a replay with other ticks gives the same findings.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from schemas.ids import derived
from streams.core.access.checks import exemptions, governed
from streams.core.access.checks.alarm_test import ALARM_TEST
from streams.core.access.checks.deadlines import arm_record, event_of
from streams.core.access.checks.further import switches
from streams.core.access.checks.policy import approvals
from streams.core.access.checks.snapshots import ACCEPTED
from streams.core.access.facts import alarm_tests, freshness
from streams.core.access.facts.policy import policies
from streams.core.access.facts.policy.approvals import accounts_of
from streams.core.access.findings import terms
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing import coverage, teammate_stages
from streams.core.access.processing.chunk import EVALUATED, Chunk, cursor_of, key_of
from streams.core.access.state.rows import Timer
from streams.core.access.state.stage import Stage

Fire = Callable[[Chunk, int, Timer], bool]  # returns whether all that follows is done


def fire_due(chunk: Chunk) -> Stage:
    """Fire the timers due by now. One that needs more than the chunk's budget continues in the next chunk."""
    for at, timer in chunk.state.timers.due(chunk.now):
        if chunk.budget <= 0 or not _FIRE.get(timer.check, _staff_record)(chunk, at, timer):
            return Stage.TIMERS
    return Stage.DISCARD_STALE


def _cause(event: str, at: int, timer: Timer) -> EpisodeCause:
    return EpisodeCause(derived(event, at, timer.fact), None, at, at)


def _staff_record(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate the accounts that a staff record can change."""
    cause = _cause(event_of(timer.check), at, timer)
    directory, (source, id_) = chunk.people(), timer.subject
    chunk.state.timers.clear(at, timer.check, timer.subject)
    record = directory.known((source, id_))
    arm_record(chunk.state, record.row, record.employment, at)
    keys = sorted(directory.accounts_of((source, id_)))
    for key in keys:
        chunk.evaluation.account(key, cause, at)
    chunk.budget -= max(1, EVALUATED * len(keys))
    return True


def _freshness(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate every account as of the instant at which a source becomes stale or fresh."""
    chunk.people()
    keys = chunk.spend(chunk.state.account_keys(key_of(chunk.cursor)), EVALUATED)
    for key in keys:
        chunk.evaluation.account(key, _cause("source.freshness", at, timer), at)
    chunk.cursor = cursor_of(keys) or chunk.cursor
    if chunk.has_more:
        return False
    chunk.cursor = ""
    chunk.state.timers.clear(at, timer.check, timer.subject)
    freshness.arm(chunk.state, timer.subject[0], at)
    coverage.settle_source(chunk, timer.subject[0], _cause("source.freshness", at, timer))
    return True


def _alarm_test(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Close the test of a workspace's alarm."""
    alarm_tests.close(chunk.state, timer.subject[0])
    chunk.people()
    chunk.evaluation.workspace(timer.subject[0], _cause("alarm_test.over", at, timer))
    chunk.budget -= 1
    return True


def _exemption(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate the account, or the workspace, whose exemption begins or ends."""
    app_id, account = timer.subject
    _evaluate(chunk, at, timer, "exemption.bound")
    exemptions.arm(chunk.state, app_id, account, at)
    return True


def _approval(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate the accounts for which an approval begins or ends."""
    directory = chunk.people()
    chunk.state.timers.clear(at, timer.check, timer.subject)
    keys = sorted(accounts_of(chunk.state, timer.subject, directory))
    for key in keys:
        chunk.evaluation.account(key, _cause("approval.bound", at, timer), at)
    chunk.budget -= max(1, EVALUATED * len(keys))
    approvals.arm(chunk.state, timer.subject, at)
    return True


def _classification(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate the account whose access ends."""
    _evaluate(chunk, at, timer, "classification.ended")
    return True


def _further(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate the account, or the workspace, of which a further answer changes by itself."""
    _evaluate(chunk, at, timer, "further")
    return True


def _rule(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate a workspace and its accounts: another rule of its policy comes into force, or none is any more."""
    (app_id,), cause = timer.subject, _cause("policy.rule", at, timer)
    chunk.people()
    if not chunk.cursor:
        chunk.evaluation.workspace(app_id, cause)
        chunk.budget -= 1
    for account, _ in chunk.spend(chunk.state.accounts.walk(app_id, after=chunk.cursor), EVALUATED):
        chunk.evaluation.account((app_id, account), cause, at)
        chunk.cursor = account
    if chunk.has_more:
        return False
    chunk.cursor = ""
    chunk.state.timers.clear(at, timer.check, timer.subject)
    policies.arm(chunk.state, app_id, at)
    return True


def _sla(chunk: Chunk, at: int, timer: Timer) -> bool:
    """Evaluate an account: the deadline of one of its findings takes its next step."""
    chunk.people()
    _, app_id, account = timer.subject
    chunk.state.timers.clear(at, timer.check, timer.subject)
    chunk.evaluation.account((app_id, account), _cause("sla", at, timer), at)
    chunk.budget -= EVALUATED
    return True


def _evaluate(chunk: Chunk, at: int, timer: Timer, event: str) -> None:
    """Evaluate a timer's account, or the workspace where it names no account, and forget the timer."""
    chunk.people()
    app_id, account = timer.subject
    chunk.state.timers.clear(at, timer.check, timer.subject)
    cause = _cause(event, at, timer)
    if account:
        chunk.evaluation.account((app_id, account), cause, at)
    else:
        chunk.evaluation.workspace(app_id, cause)
    chunk.budget -= EVALUATED


_FIRE: Final = MappingProxyType[str, Fire]({
    ACCEPTED.id: teammate_stages.void,
    ALARM_TEST.id: _alarm_test,
    coverage.TIMER: coverage.renew,
    freshness.TIMER: _freshness,
    exemptions.TIMER: _exemption,
    approvals.TIMER: _approval,
    governed.TIMER: _classification,
    switches.TIMER: _further,
    policies.TIMER: _rule,
    terms.TIMER: _sla,
})  # fmt: skip
"""By the timer's kind; other timers are those of checks, for staff records."""
