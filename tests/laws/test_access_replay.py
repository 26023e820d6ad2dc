"""The access log processed again: other batches, ticks removed, doubled, early and late give the same bytes.

`scripts/faults --kind answers` runs the same over fresh histories.
"""

import os
import random
import subprocess
import sys

import pytest

from tests.support.access_histories.history import history
from tests.support.access_laws.replay import replay_gives_the_same_bytes
from tests.support.access_mutants.agent import timers_as_of_the_fact

SIZE = 24


@pytest.mark.parametrize("seed", range(20))
def test_a_log_gives_the_same_bytes_again_whatever_its_batches_and_ticks(seed):
    assert replay_gives_the_same_bytes(history(seed, SIZE), random.Random(seed)) == []


def test_timers_as_of_the_fact_that_lets_time_move_are_noticed(monkeypatch):
    timers_as_of_the_fact(monkeypatch)
    assert any(replay_gives_the_same_bytes(history(seed, SIZE), random.Random(seed)) for seed in range(20))


def test_rows_and_records_have_the_same_bytes_in_every_process():
    """A process orders sets of texts by hashes of its own; a table made again elsewhere is compared byte for byte."""
    command = [sys.executable, "-m", "tests.support.access_laws.row_bytes"]
    runs = [subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True) for seed in "12"]
    assert runs[0].stdout == runs[1].stdout
