"""Reports say what a naive reporter says, which recomputes each answer from all facts that count.

Each history is asked about once in the suite, as of an instant or by an offset, with what became known later or without it.
`scripts/faults --kind reports --histories 1000` asks fresh ones about all of these.
"""

import pytest

from tests.support.access_histories.history import history
from tests.support.access_reports.campaign import FAULTS, disagreements, questions

HISTORIES, BATCH, SIZE = 60, 20, 24
FAILED_ONCE = {0: 0, 9: 2, 35: 0, 61: 2, 91: 1, 1132: 0}  # seed and question, while the two were written
NOTICED = {  # by which question about the history of which seed
    "late facts are ignored": (0, 2),
    "late decisions count": (0, 2),
    "ticks are forgotten": (1, 3),
    "grace is forgotten": (4, 0),
    "former addresses are forgotten": (0, 0),
    "uncertain accounts are left out": (30, 0),
    "exemptions are never void": (18, 1),
    "approvals never end": (1, 0),
    "the last finding counts for everybody": (9, 0),
}


@pytest.mark.parametrize("first", range(0, HISTORIES, BATCH))
def test_a_report_agrees_with_the_naive_reporter(first):
    asked = {seed: history(seed, SIZE) for seed in range(first, first + BATCH)}
    found = {seed: disagreements(each, questions(each)[seed % 4 : seed % 4 + 1]) for seed, each in asked.items()}
    assert {seed: sentences for seed, sentences in found.items() if sentences} == {}


@pytest.mark.parametrize("seed", FAILED_ONCE)
def test_a_history_that_failed_once_agrees(seed):
    entries = history(seed, SIZE)
    assert disagreements(entries, [questions(entries)[FAILED_ONCE[seed]]]) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_put_into_the_report_is_noticed(fault, monkeypatch):
    seed, number = NOTICED[fault]
    entries = history(seed, SIZE)
    FAULTS[fault](monkeypatch)
    assert disagreements(entries, [questions(entries)[number]])
