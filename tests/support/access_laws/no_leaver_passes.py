"""The law that nobody who left passes C2."""

from collections.abc import Sequence

from tests.support.access_laws.answer import Answer
from tests.support.access_laws.leavers import leavers_in
from tests.support.access_oracle.decided.workspaces import monitoring_of
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, Key, read_log
from tests.support.access_oracle.results import Answers
from tests.support.access_oracle.state import state_at


def no_leaver_passes(
    history: Sequence[Entry], answer: Answer, steps: Sequence[Answers] | None = None, *, past_addresses: bool = True
) -> list[str]:
    """Nobody whom any source has reported to have left, and none has reported since to be employed again, has C2 PASS or a
    closed C2, except after removal, a link to another person, an exemption, or the finding voided by a corrected end.

    Checked after every fact. A workspace that is not monitored is a further exception.
    """
    broken = []
    steps = steps or [answer(history[: n + 1]) for n in range(len(history))]
    before: set[tuple[Key, str]] = set()
    for n, step in enumerate(steps):
        pairs = _named_leavers(history[: n + 1], step.now, past_addresses=past_addresses)
        for account, leaver in sorted(pairs):
            c2 = step.accounts.get(account, {}).get("C2")
            if c2 is not None and c2.status == "PASS":
                broken.append(f"after fact {n}: C2 of {account} passes, though {leaver} left")
            if (account, leaver) in before and n and _closes(steps[n - 1], step, account, leaver):
                broken.append(f"after fact {n}: C2 of {account} closed, though {leaver} left and nothing else changed")
        before = pairs
    return broken


def _named_leavers(history: Sequence[Entry], now: int, *, past_addresses: bool) -> set[tuple[Key, str]]:
    """Return (account of a monitored workspace, id of a leaver's record that names it)."""
    state = state_at(read_log(history), now, DEFAULT)
    pairs = set()
    for leaver in leavers_in(history, past_addresses=past_addresses):
        for account in leaver.accounts:
            monitoring = monitoring_of(state, account[0])
            if monitoring is None or monitoring.on:
                pairs.add((account, leaver.id))
    return pairs


def _closes(previous: Answers, step: Answers, account: Key, leaver: str) -> bool:
    """Whether a finding of C2 about the leaver was closed in this step, and none is open."""
    subject = ("C2", *account)
    closed = [finding for finding in step.closed if finding.subject == subject and leaver in finding.people]
    is_open = any(finding.subject == subject for finding in step.open)
    return len(closed) > len([finding for finding in previous.closed if finding in closed]) and not is_open
