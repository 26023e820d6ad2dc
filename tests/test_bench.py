"""Every benchmark runs on a real Kafka, in its smallest form, and ends as programs expect. Its figures are not checked."""

import os
import socket
import subprocess
import sys
from itertools import pairwise

import msgspec
import pytest

from bench.cluster import Cluster
from bench.engine.events import KEYS, events
from bench.engine.rivals import RIVALS
from bench.engine.work import encode
from bench.ingress.load import planned_instants, quantiles
from bench.ingress.posts import BODY_BYTES, COUNT, bodies
from bench.machine import this_machine
from bench.options import Options
from bench.recovery.job import RestoreResult
from bench.recovery.part import checks
from bench.recovery.rows import key_of, value_of
from bench.report import Ratio, Report, Spread, ratio
from bench.rounds import interleaved
from bench.show import json_line
from bench.sockets import established
from bench.table import BENCHMARKS
from schemas.errors import BadConfiguration

_LIMIT_S = 800.0  # ten times what the longest takes on a quiet machine

SMALLEST = {
    "ingress": (("bare", "one_process"), {"one_process"}),
    "engine": (("ours", "raw_aiokafka", "recovery_ours", "recovery_stock"), {"raw_aiokafka", "recovery_stock"}),
    "replay": (("ours", "raw_aiokafka", "worker"), {"raw_aiokafka"}),
    "replay_copy": (("ours", "bare"), {"bare"}),
    "profiles": (
        ("live", "ours", "no_work", "raw_aiokafka", "stages", "steps", "million_on_disk", "large_person"),
        {"live_no_work", "live_raw_aiokafka", "live_cpu_us", "large_person"},
    ),
    "access": (("ours",), set()),
    "evidence": (("agent", "report", "verify", "replay_check"), {"report_agent", "verify_agent", "replay_check_agent"}),
    "activities": (
        ("person", "late", "conversation", "expiry", "sealed", "agents", "purge", "redaction"),
        {"person", "late", "conversation", "bytes_per_expired", "bytes_per_sealed", "agents", "purge", "redaction_p99_s"},
    ),
    "identity": (("in_memory", "on_disk"), set()),
    "sync": (("bare", "ours", "memory"), {"bare"}),
    "scale": (("1", "2"), {"measured_to_predicted_2"}),
    "partitions": (("engine",), {"engine_16_rate", "engine_16_p99", "engine_64_rate", "engine_64_p99"}),
    "latency": (("ours", "plain_loops"), {"violation_p50", "violation_p99", "person_p50", "person_p99"}),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_ends_with_one_json_line_that_has_ratios_and_leaves_no_topic_behind(name, kafka):
    rivals, ratios = SMALLEST[name]
    asked = [part for rival in rivals for part in ("--only", rival)]
    command = [sys.executable, "-m", "bench", name, "--quick", "--json", *asked]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "KAFKA_BOOTSTRAP": kafka}
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=_LIMIT_S)
        finally:
            process.kill()
    assert process.returncode == 0, stdout[-3000:] + stderr[-3000:]
    report = msgspec.json.decode(stdout.splitlines()[-1])
    assert set(report["ratios"]) == ratios
    assert report["checks"]
    assert all(report["checks"].values())
    assert Cluster(kafka, f"bench-{process.pid}-").topics() == []


def test_rivals_take_turns_and_every_second_round_is_reversed():
    assert list(interleaved(["a", "b"], 3)) == [(0, "a"), (0, "b"), (1, "b"), (1, "a"), (2, "a"), (2, "b")]


def test_a_ratio_is_taken_within_each_round_because_a_slow_round_is_slow_for_all():
    result = ratio({0: 10.0, 1: 4.0, 2: 9.0}, {0: 5.0, 1: 2.0, 2: 3.0}, goal=2)
    assert result == Ratio(Spread(2.0, 2.0, 3.0), 2)
    assert result.met


def test_a_ratio_of_delays_is_met_when_it_is_small():
    assert Ratio(Spread.of([1.2]), 1.5, smaller_is_better=True).met
    assert not Ratio(Spread.of([1.7]), 1.5, smaller_is_better=True).met


def test_rounds_that_disagree_by_more_than_a_factor_of_two_prove_nothing():
    result = Ratio(Spread.of([0.2, 0.8, 1.4]), 0.5)
    assert not result.steady
    assert result.met is None


def test_no_ratio_is_made_of_rounds_that_only_one_side_has():
    assert ratio({0: 10.0}, {1: 5.0}) is None


def test_a_report_with_a_broken_check_is_not_sound_and_says_so_to_programs():
    report = Report(name="x", about="", tables=(), ratios={"rival": Ratio(Spread.of([2.0, 4.0]), 3)}, checks={"all there": False})
    line = msgspec.json.decode(json_line(report, this_machine(), "2026-01-01T00:00:00+00:00"))
    assert line["ratios"] == {"rival": 3.0}
    assert line["spreads"]["rival"] == {"low": 2.0, "high": 4.0, "goal": 3, "steady": True, "met": True}
    assert line["sound"] is False


def test_a_rival_that_nobody_has_is_an_error_that_names_those_there_are():
    with pytest.raises(BadConfiguration, match=r"kafak.*ours, stock_faust"):
        Options(only=("kafak",)).chosen(("ours", "stock_faust"))


def test_the_events_are_the_same_at_every_run_and_have_the_size_they_are_said_to_have():
    first, second = list(events(500)), list(events(500))
    assert first == second
    assert all(1_000 <= len(event.value) <= 1_200 for event in first)
    assert len({event.key for event in events(5_000)}) > KEYS * 0.09


def test_the_posts_are_all_different_and_of_exactly_the_size_they_are_said_to_have():
    posts = bodies()
    assert len(set(posts)) == COUNT
    assert {len(body) for body in posts} == {BODY_BYTES}


def test_posts_of_a_steady_rate_are_planned_at_random_but_at_that_rate():
    instants = planned_instants(1_000, 10, seed=1)
    assert instants == sorted(instants)
    assert 9_500 < len(instants) < 10_500
    gaps = [later - earlier for earlier, later in pairwise(instants)]
    assert max(gaps) > 4 * sum(gaps) / len(gaps)


def test_quantiles_name_the_value_that_share_of_all_stays_below():
    assert quantiles([number / 1000 for number in range(1, 1001)]) == {"p50": 501.0, "p99": 991.0, "p99.9": 1000.0, "max": 1000.0}


def test_every_rival_of_the_engine_can_be_loaded_where_its_package_is_installed():
    assert "ours" in RIVALS
    assert [name for name, rival in RIVALS.items() if rival.package is None] == [
        "ours",
        "ours_on_disk",
        "stock_faust",
        "raw_aiokafka",
        "raw_confluent",
        "kafka_streams",
        "kafka_streams_on_disk",
    ]


def test_connections_are_counted_of_the_process_and_the_port_asked_for():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port, another = server.getsockname()[1], other.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            assert established(os.getpid(), {port}) == 2
            assert established(os.getpid(), {another}) == 0
            assert established(os.getppid(), {port}) == 0
        assert established(os.getpid(), {port}) == 0


def test_rows_to_restore_are_all_different_and_of_about_the_size_they_are_said_to_have():
    sizes = {len(encode(value_of(number))) for number in (0, 1, 499_999, 999_999)}
    assert all(450 <= size <= 550 for size in sizes)
    assert value_of(1) == value_of(1) != value_of(2)
    assert len({key_of(number) for number in range(1_000)}) == 1_000


def test_what_was_restored_is_right_only_if_no_row_is_wrong_and_ours_is_whole():
    def verdict(side, *, rows, wrong):
        return list(checks(100, {side: {0: RestoreResult(rows, wrong, 1.0, 1.0)}}).values())

    assert verdict("recovery_ours", rows=100, wrong=0) == [True]
    assert verdict("recovery_ours", rows=99, wrong=0) == [False]
    assert verdict("recovery_ours", rows=100, wrong=1) == [False]
    assert verdict("recovery_stock", rows=40, wrong=0) == [True]
    assert verdict("recovery_stock", rows=40, wrong=1) == [False]
    assert verdict("recovery_stock", rows=0, wrong=0) == [False]


def test_the_goals_are_those_the_engine_was_promised_with():
    assert {name: rival.goal for name, rival in RIVALS.items() if rival.goal} == {
        "stock_faust": 15, "quixstreams": 1.5, "bytewax": 1.2, "raw_aiokafka": 0.75,
    }  # fmt: skip
