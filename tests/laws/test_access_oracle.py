"""The access oracle itself: the cases' right values, the laws, and faults put back one at a time, each of which is noticed."""

import random

import pytest

from schemas.access.facts import snapshot_hash
from tests.support.access_histories.history import history
from tests.support.access_histories.parts import ALL_PARTS, FIRST_PARTS
from tests.support.access_histories.patterns import PATTERNS
from tests.support.access_laws.laws import broken_laws
from tests.support.access_mutants.compare import differs, noticed_by
from tests.support.access_mutants.further import FURTHER_MUTANTS
from tests.support.access_mutants.mutants import MUTANTS
from tests.support.access_oracle.answers import answers, answers_of, final_rows, walk
from tests.support.access_oracle.log import facts_of
from tests.support.access_oracle.results import plain
from tests.support.access_oracle.right_values import CASES, RIGHT_VALUES

SIZE = 24
NOTICED = {  # by which law, in the history of which seed; M and O differ from the oracle and break no law
    "A": ("no event before its causes", 0),
    "B": ("any order", 1),
    "C": ("no event before its causes", 128),
    "D": ("silence", 2),
    "E": ("any order", 11),
    "F": ("any order", 42),
    "G": ("any order", 74),
    "H": ("any order", 2),
    "I": ("no event before its causes", 163),
    "L": ("no leaver passes", 2),
    "stale sources pass": ("staleness", 13),
    "stale sources close": ("staleness", 0),
}

DIFFERS = {  # in the history of which seed a fault in the later parts changes an answer
    "an exemption passes": 2,
    "an exemption holds for good": 18,
    "an exemption is voided by arrival": 105,
    "an exemption never ends": 5,
    "a deadline follows its finding": 18,
    "a deadline waits for a fact": 1,
    "grace passes": 1,
    "timers as of the next fact": 1,
    "weekends are worked": 1,
    "working days in UTC": 1,
    "windows are open": 1,
    "approvals never end": 31,
    "owners never leave": 2,
}
NOTICED_LATER = {  # by which law, in the history of which seed
    "an exemption passes": ("exemption never passes", 11),
    "an exemption is voided by arrival": ("any order", 105),
    "a deadline follows its finding": ("deadlines hold", 18),
    "a deadline waits for a fact": ("deadlines hold", 4),
    "grace passes": ("grace only delays", 1),
    "timers as of the next fact": ("ticks change nothing", 15),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_oracle_gives_a_case_its_right_values(case):
    RIGHT_VALUES[case["case"]](case["log"], lambda entries: list(walk(entries)))


def test_every_case_has_right_values():
    assert [case["case"] for case in CASES] == list(RIGHT_VALUES)


def test_the_hashes_of_empty_listings_in_the_cases_follow_the_rule_of_the_schema():
    snapshots = [e["fact"]["snapshot"] for case in CASES for e in case["log"] if e["fact"]["kind"] == "staff.snapshot.ended"]
    hashes = {snapshot["hash"] for snapshot in snapshots if snapshot["count"] == 0}
    assert hashes == {snapshot_hash([])}


@pytest.mark.parametrize("seed", range(30))
def test_the_oracle_keeps_every_law(seed):
    entries = history(seed, SIZE, FIRST_PARTS if seed % 3 else ALL_PARTS)
    broken = broken_laws(entries, answers, random.Random(seed), quick=final_rows, steps=list(walk(entries)))
    assert {law: sentences for law, sentences in broken.items() if sentences} == {}


@pytest.mark.parametrize("letter", PATTERNS)
def test_generated_histories_reach_the_pattern_of_a_fault(letter):
    assert any(PATTERNS[letter](history(seed, SIZE, FIRST_PARTS)) for seed in range(200))


@pytest.mark.parametrize("letter", MUTANTS)
def test_a_fault_put_back_changes_an_answer_within_twenty_histories(letter):
    assert any(differs(history(seed, SIZE, FIRST_PARTS), MUTANTS[letter]()) for seed in range(20))


@pytest.mark.parametrize("letter", NOTICED)
def test_a_law_notices_a_fault_without_the_oracle(letter):
    law, seed = NOTICED[letter]
    assert law in noticed_by(history(seed, SIZE, FIRST_PARTS), MUTANTS[letter](), seed, [law])


@pytest.mark.parametrize("fault", FURTHER_MUTANTS)
def test_a_fault_in_deadlines_grants_and_the_like_changes_an_answer(fault):
    assert differs(history(DIFFERS[fault], SIZE), FURTHER_MUTANTS[fault]())


@pytest.mark.parametrize("fault", NOTICED_LATER)
def test_a_law_notices_a_fault_in_deadlines_or_exemptions_without_the_oracle(fault):
    law, seed = NOTICED_LATER[fault]
    assert law in noticed_by(history(seed, SIZE), FURTHER_MUTANTS[fault](), seed, [law])


@pytest.mark.parametrize("seed", range(10))
def test_facts_as_structs_get_the_same_answers_as_the_history_they_come_from(seed):
    entries = history(seed, SIZE)
    now = entries[-1]["log_time"] + 7_200_000
    log_times = [entry["log_time"] for entry in entries]
    assert plain(answers_of(facts_of(entries), log_times, now)) == plain(answers(entries, now))
