"""The laws about exemptions, grace and time: they change the answer about a failure, not whether there is one."""

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate

from tests.support.access_laws.answer import Answer, has_grace
from tests.support.access_laws.edits import ticked
from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import Answers, Finding, Row

Named = dict[tuple[str, ...], Row]


def exemption_never_passes(history: Sequence[Entry], answer: Answer) -> list[str]:
    """Without its exemptions a history has the same findings open, each row the same reason, and where a row was EXEMPT, a failure.

    So an exemption never makes a check pass, and never closes anything.
    """
    if not any(entry["fact"]["kind"].startswith("exemption.") for entry in history):
        return []
    bare = [ticked(entry) if entry["fact"]["kind"].startswith("exemption.") else entry for entry in history]
    with_them, without_them = answer(history), answer(bare)
    expected, actual = _rows(without_them), _rows(with_them)
    broken = [f"exemptions open or close {s}" for s in _open(with_them) ^ _open(without_them)]
    for subject in sorted({*expected, *actual}):
        before, after = expected.get(subject), actual.get(subject)
        if before is None or after is None:
            broken.append(f"exemptions give or take the row {subject}")
        elif before.reason != after.reason or (after.status != before.status and not _exempt(before, after)):
            broken.append(f"an exemption makes {subject} {after.status} ({after.reason}) of {before.status} ({before.reason})")
    return broken


def _exempt(before: Row, after: Row) -> bool:
    return after.status == "EXEMPT" and after.has_finding and before.status in ("FAIL", "DUE", "UNKNOWN")


def grace_only_delays(history: Sequence[Entry], answer: Answer) -> list[str]:
    """Without grace a history has the same findings open, and each DUE is a FAIL: grace fixes nothing."""
    if not has_grace(history):
        return []
    with_it, without_it = answer(history), answer([_without_grace(entry) for entry in history])
    broken = [f"grace opens or closes {s}" for s in _open(with_it) ^ _open(without_it)]
    after, before = _rows(with_it), _rows(without_it)
    for subject in sorted({*before, *after}):
        expected, actual = before.get(subject), after.get(subject)
        if expected is None or actual is None or expected.status != ("FAIL" if actual.status == "DUE" else actual.status):
            broken.append(f"grace makes {subject} {actual and actual.status} of {expected and expected.status}")
        elif actual.status == "DUE" and (actual.due is None or actual.due <= with_it.now):
            broken.append(f"{subject} is DUE though its deadline {actual.due} is not ahead of {with_it.now}")
    return broken


def _without_grace(entry: Entry) -> Entry:
    fact = entry["fact"]
    if not fact.get("policy"):
        return entry
    rules = [{name: part for name, part in rule.items() if name != "grace"} for rule in fact["policy"]["rules"]]
    return {**entry, "fact": {**fact, "policy": {**fact["policy"], "rules": rules}}}


def deadlines_hold(steps: Sequence[Answers]) -> list[str]:
    """A finding's deadline never moves, and its state goes from due to critical to failing, as of the instants themselves."""
    broken: list[str] = []
    before: dict[tuple[object, ...], Finding] = {}
    for n, step in enumerate(steps):
        for finding in step.open:
            episode = (*finding.subject, finding.uid, finding.created, finding.created_log_time)
            earlier = before.get(episode)
            if earlier is not None and _due(earlier) != _due(finding):
                broken.append(f"after fact {n}: the deadline of {finding.subject} moves from {_due(earlier)} to {_due(finding)}")
            broken += [f"after fact {n}: {sentence}" for sentence in _wrong_state(finding, step.now)]
            before[episode] = finding
    return broken


def _due(finding: Finding) -> int | None:
    return finding.deadline.due if finding.deadline else None


def _wrong_state(finding: Finding, now: int) -> Iterator[str]:
    deadline = finding.deadline
    if deadline is None:
        if finding.sla_state is not None or finding.status == "DUE":
            yield f"{finding.subject} is {finding.status}, {finding.sla_state}, and has no deadline"
        return
    if finding.sla_state != deadline.sla_state(now):
        yield f"{finding.subject} is {finding.sla_state} at {now}, {deadline.due - now} before its deadline"
    if (finding.status == "DUE" and now >= deadline.due) or (finding.status == "FAIL" and now < deadline.due):
        yield f"{finding.subject} is {finding.status} at {now}, and its deadline is {deadline.due}"
    times = {time for _, time, _ in finding.events}
    for instant in (deadline.critical, deadline.due):
        if finding.reopened == 0 and finding.created_log_time < instant <= now and instant not in times:
            yield f"{finding.subject} has no event at {instant}, a step of its deadline"


def ticks_change_nothing(history: Sequence[Entry], answer: Answer, draw: random.Random) -> list[str]:
    """Without its ticks, or with more of them, early, late and doubled, a history has the same findings, closed ones included.

    A last tick lets the same time pass in all of them.
    """
    times = list(accumulate((entry["log_time"] for entry in history), max))  # so that a tick taken away takes no time away
    history = [{**entry, "log_time": times[n]} for n, entry in enumerate(history)]
    last = times[-1]
    expected = _all(answer([*history, tick(history, last, "last")]))
    broken = []
    for name, changed in (("without ticks", without_ticks(history)), ("with other ticks", other_ticks(history, draw))):
        actual = _all(answer([*changed, tick(history, last, "last")]))
        broken += [f"{name} there is no {finding}" for finding in expected if finding not in actual]
        broken += [f"{name} there is {finding}" for finding in actual if finding not in expected]
    return broken


def _all(answers: Answers) -> list[tuple[object, ...]]:
    return [
        (*f.subject, f.status, f.reason, f.created, f.since, f.created_log_time, f.closed, f.closed_for, _due(f), f.sla_state)
        for f in (*answers.open, *answers.closed)
    ]


def tick(history: Sequence[Entry], log_time: int, name: str) -> Entry:
    fact = {
        "id": f"tick {name}",
        "tenant": history[0]["fact"]["tenant"],
        "kind": "clock.ticked",
        "source": "c",
        "basis": "observed",
    }
    return {"log_time": log_time, "offset": len(history), "fact": {**fact, "time": log_time}}


def without_ticks(history: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in history if entry["fact"]["kind"] != "clock.ticked"]


def other_ticks(history: Sequence[Entry], draw: random.Random) -> list[Entry]:
    """Return the history with ticks anywhere, at a time between the facts around them; some twice."""
    changed: list[Entry] = []
    time = 0
    for n, entry in enumerate(history):
        now = max(time, entry["log_time"])
        if n and draw.random() < 0.4:
            one = tick(history, draw.choice((time, now, draw.randint(time, now))), f"{n}")
            changed += [{**one, "offset": None}] * draw.choice((1, 1, 2))
        changed.append(entry)
        time = now
    return changed


def _rows(answers: Answers) -> Named:
    rows: Named = {("C3", app_id): row for app_id, row in answers.workspaces.items()}
    rows |= {(check, *key): row for key, checks in answers.accounts.items() for check, row in checks.items()}
    return rows


def _open(answers: Answers) -> set[tuple[str, str, str | None]]:
    return {finding.subject for finding in answers.open}
