"""The right values of the cases in cases.json: one function for each letter. What a case leaves open is not asserted.

Each function takes the case's history and a `walk` that returns the answers after each fact, so that another implementation can be
checked in the same way.
"""

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.support.access_oracle.log import Entry
from tests.support.access_oracle.results import Answers, Finding, Row, plain

Walk = Callable[[Sequence[Entry]], Sequence[Answers]]

CASES: Final[list[dict[str, Any]]] = json.loads(Path(__file__).with_name("cases.json").read_text())
ACCOUNT: Final = ("ws1", "1")
ANN: Final = "5ead1cb7-63bd-518b-a6bd-10671be1f7c6"  # the staff id that the cases link to


def row(answers: Answers, check: str) -> Row:
    return answers.workspaces["ws1"] if check == "C3" else answers.accounts[ACCOUNT][check]


def statuses(answers: Answers, *checks: str) -> list[str]:
    return [row(answers, check).status for check in checks]


def open_findings(answers: Answers, check: str) -> list[Finding]:
    return [finding for finding in answers.open if finding.check == check]


def closed_findings(answers: Answers, check: str) -> list[Finding]:
    return [finding for finding in answers.closed if finding.check == check]


def _rows(answers: Answers) -> str:
    shown = plain(answers)
    return json.dumps([shown["accounts"], shown["workspaces"]], sort_keys=True)


def _reordered(history: Sequence[Entry], order: Sequence[int]) -> list[Entry]:
    """Return the history with its facts in another order; positions keep their log times."""
    return [{**entry, "fact": history[n]["fact"]} for entry, n in zip(history, order, strict=True)]


def case_a(history: list[Entry], walk: Walk) -> None:
    final = walk(history)[-1]
    [finding] = open_findings(final, "C3")
    assert finding.created == finding.since == row(final, "C3").since == history[0]["log_time"]
    assert row(final, "C3").status == "FAIL"


def case_b(history: list[Entry], walk: Walk) -> None:
    steps = walk(history)
    assert statuses(steps[0], "C1") == ["FAIL"]
    assert statuses(steps[1], "C1", "C2") == ["UNKNOWN", "UNKNOWN"]
    assert row(steps[1], "C1").reason == row(steps[1], "C2").reason == "staff_not_known"
    assert len(open_findings(steps[1], "C1")) == 1
    assert closed_findings(steps[1], "C1") == []
    assert statuses(steps[2], "C1", "C2") == ["PASS", "PASS"]
    assert len(closed_findings(steps[2], "C1")) == 1
    assert statuses(steps[4], "C1", "C2") == ["PASS", "FAIL"]
    [finding] = open_findings(steps[4], "C2")
    assert finding.created == finding.since == 1768093200000
    assert finding.created_log_time == 1768093200000  # as of its own due instant, not of the tick
    assert row(steps[4], "C2").person_ids == (ANN,)


def case_b2(history: list[Entry], walk: Walk) -> None:
    steps = walk(history)
    assert statuses(steps[1], "C1", "C2") == ["UNKNOWN", "UNKNOWN"]
    assert statuses(steps[3], "C1", "C2") == ["PASS", "PASS"]
    assert statuses(steps[4], "C1", "C2") == ["PASS", "FAIL"]
    [finding] = open_findings(steps[4], "C2")
    assert finding.since == 1768089720000  # the link's log time: the end (…600000) is before the decision that is a cause


def case_c(history: list[Entry], walk: Walk) -> None:
    steps = walk(history)
    assert statuses(steps[4], "C2") == ["FAIL"]
    for step in steps[4:]:
        [finding] = open_findings(step, "C2")
        assert ANN in finding.people
        assert closed_findings(step, "C2") == []
    assert statuses(steps[-1], "C1", "C2") == ["PASS", "UNKNOWN"]
    assert row(steps[-1], "C2").person_ids == (ANN,)


def case_d(history: list[Entry], walk: Walk) -> None:
    steps = walk(history)
    assert statuses(steps[4], "C2") == statuses(steps[-1], "C2") == ["FAIL"]
    assert len(open_findings(steps[-1], "C2")) == 1
    assert closed_findings(steps[-1], "C2") == []


def case_d3(history: list[Entry], walk: Walk) -> None:
    steps = walk(history)
    assert statuses(steps[4], "C2") == ["PASS"]
    assert statuses(steps[-1], "C2") == ["FAIL"]
    [finding] = open_findings(steps[-1], "C2")
    assert finding.created == finding.created_log_time == 1768093200000


def case_e(history: list[Entry], walk: Walk) -> None:
    final = walk(history)[-1]
    assert statuses(final, "C1") == ["FAIL"]
    assert (row(final, "C1").reason, row(final, "C1").confidence) == ("not_identified", 1)


def case_f(history: list[Entry], walk: Walk) -> None:
    final = walk(history)[-1]
    assert statuses(final, "C1", "C2") == ["PASS", "FAIL"]
    assert row(final, "C2").since == 1767312000000


def case_g(history: list[Entry], walk: Walk) -> None:
    reversed_history = _reordered(history, (1, 0))
    for order in (history, reversed_history):
        final = walk(order)[-1]
        assert statuses(final, "C1", "C2", "C4") == ["UNKNOWN"] * 3
        assert final.presence[ACCOUNT] == "contradiction"
        assert [finding for finding in final.open if finding.account] == []
    assert [finding for finding in walk(history)[-1].closed if finding.account] == []
    assert _rows(walk(history)[-1]) == _rows(walk(reversed_history)[-1])


def case_h(history: list[Entry], walk: Walk) -> None:
    rows = set()
    for order in itertools.permutations(range(4)):
        final = walk(_reordered(history, order))[-1]
        assert statuses(final, "C1", "C2") == ["PASS", "FAIL"]
        assert row(final, "C2").since == 1767312000000
        rows.add(_rows(final))
    assert len(rows) == 1


def case_i(history: list[Entry], walk: Walk) -> None:
    final = walk(history)[-1]
    [finding] = open_findings(final, "C4")
    assert finding.created == finding.since == row(final, "C4").since == history[0]["log_time"]
    assert statuses(final, "C4") == ["FAIL"]


def case_l(history: list[Entry], walk: Walk) -> None:
    final = walk(history)[-1]
    assert statuses(final, "C1", "C2") == ["PASS", "FAIL"]
    assert len(open_findings(final, "C2")) == 1
    assert closed_findings(final, "C2") == []
    link = {"id": "k", "tenant": "acme", "kind": "account.linked", "source": "o", "basis": "decided", "staff": "another"}
    linked = walk([*history, {"log_time": 1768089900000, "fact": {**link, "app_id": "ws1", "account": "1"}}])[-1]
    assert open_findings(linked, "C2") == []
    assert closed_findings(linked, "C2")[0].closed_for == "not_applicable"


def case_m(history: list[Entry], walk: Walk) -> None:
    for order in itertools.permutations(range(3)):
        final = walk(_reordered(history, order))[-1]
        assert statuses(final, "C1", "C2") == ["FAIL", "UNKNOWN"]  # C2: no PASS, and no FAIL of the active owner
        assert row(final, "C1").reason == "ambiguous"
        assert len(row(final, "C1").candidates) == 2


def case_o(history: list[Entry], walk: Walk) -> None:
    final = walk(history)[-1]
    assert statuses(final, "C1", "C2") == ["FAIL", "UNKNOWN"]
    assert open_findings(final, "C2") == []
    settings = {"hash": "s", "further": {"absence": '{"hr":"ended"}'}}
    fact = {"id": "s", "tenant": "acme", "kind": "settings.applied", "source": "c", "basis": "decided", "settings": settings}
    for position in (0, 2, 4):  # before, between and after
        decided = {"log_time": history[max(position - 1, 0)]["log_time"], "fact": fact}
        final = walk([*history[:position], decided, *history[position:]])[-1]
        assert statuses(final, "C1", "C2") == ["PASS", "FAIL"]
        assert row(final, "C2").confidence == 2
        [finding] = open_findings(final, "C2")
        assert finding.since == max(1768089600000, decided["log_time"])


RIGHT_VALUES: Final[dict[str, Callable[[list[Entry], Walk], None]]] = {
    "A": case_a, "B": case_b, "B2": case_b2, "C": case_c, "D": case_d, "D3": case_d3, "E": case_e, "F": case_f, "G": case_g,
    "H": case_h, "H'": case_h, "I": case_i, "L": case_l, "M": case_m, "O": case_o,
}  # fmt: skip
