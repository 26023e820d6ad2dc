"""How the suite runs: files side by side, each file's tests in order in one process, one stack for all, and nothing left of it."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import certifi
import httpx
import pytest

from tests import side_by_side
from tests.patience import DEADLINE_S

ROOT = Path(__file__).parents[1]
PYTEST = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests are a shell's background job
sys.exit(pytest.main())
"""
CONFTEST = 'pytest_plugins = ("tests.side_by_side", "tests.support.kafka")\n'
REPORTING = """
import json, os, pytest

@pytest.mark.parametrize("number", range(4))
def test_one(number, request):
    print(json.dumps(["ran", request.path.name, number, os.getpid()]))
"""
USING_THE_STACK = """
import json, os, sys, time

def test_stack(own_stack):
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(json.dumps([own_stack.addresses.kafka, [each.pid for each in own_stack.status()]]) + "\\n")
    while os.environ.get("HOLD"):
        time.sleep(0.1)
"""


def suite(folder: Path, **files: str) -> Path:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = .\naddopts = -p no:cacheprovider -rP\n")
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    return folder


def start(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "KAFKA_"))}
    return subprocess.Popen(
        [sys.executable, "-c", PYTEST, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**environment, "PYTHONPATH": str(ROOT), "INTERCOM_STREAMS_STATE": str(folder / "state"), **variables},
    )  # fmt: skip


def run(folder: Path, *words: str, **variables: str) -> tuple[list[str], list[list]]:
    """Return the lines of a run, and what its tests printed."""
    with start(folder, *words, **variables) as process:
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, output
    lines = output.splitlines()
    return lines, [json.loads(line) for line in lines if line.startswith('["ran"')]


def wait_until(condition) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_whole_suite_runs_in_several_processes_and_a_file_in_one(tmp_path):
    lines, ran = run(suite(tmp_path, **dict.fromkeys("abcdef", REPORTING)))
    places = {name: [(number, pid) for _, file, number, pid in ran if file == name] for _, name, _, _ in ran}
    assert len(places) == 6
    assert all([number for number, _ in place] == [0, 1, 2, 3] for place in places.values())
    assert all(len({pid for _, pid in place}) == 1 for place in places.values())
    assert len({pid for place in places.values() for _, pid in place}) > 1
    assert "24 passed in" in lines[-1]


@pytest.mark.parametrize("words", [["-p", "no:xdist"], ["-n0"], ["test_a.py", "test_b.py"], ["-k", "test_one"]], ids=" ".join)
def test_a_smaller_run_and_one_without_xdist_have_one_process(tmp_path, words):
    lines, ran = run(suite(tmp_path, a=REPORTING, b=REPORTING), *words)
    assert len({pid for _, _, _, pid in ran}) == 1
    assert "8 passed in" in lines[-1]


def test_the_number_of_processes_can_be_chosen(tmp_path):
    _, ran = run(suite(tmp_path, a=REPORTING, b=REPORTING), "-n2", "test_a.py", "test_b.py")
    assert len({pid for _, _, _, pid in ran}) == 2


def seen_stacks(file: Path) -> list[list]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_all_processes_share_one_stack_that_ends_with_the_run(tmp_path):
    run(suite(tmp_path, a=USING_THE_STACK, b=USING_THE_STACK), "-n2", SEEN=str(tmp_path / "seen"))
    first, second = seen_stacks(tmp_path / "seen")
    assert first == second
    wait_until(lambda: not any(exists(pid) for pid in first[1]))
    assert not list((tmp_path / "state").rglob("shared-*"))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_however_the_run_ends_nothing_of_its_stack_is_left(tmp_path, end):
    seen = tmp_path / "seen"
    with start(suite(tmp_path, a=USING_THE_STACK, b=USING_THE_STACK), "-n2", SEEN=str(seen), HOLD="yes") as process:
        wait_until(lambda: len(seen_stacks(seen)) == 2 or process.poll() is not None)
        pids = seen_stacks(seen)[0][1]
        process.send_signal(end)
        process.communicate(timeout=DEADLINE_S)
        assert process.returncode != 0
    wait_until(lambda: not any(exists(pid) for pid in pids))
    wait_until(lambda: not list((tmp_path / "state").rglob("shared-*")))


def test_the_files_named_as_slow_or_divisible_are_files_of_the_suite():
    named = [*side_by_side.SLOWEST_FIRST, *side_by_side.TEST_BY_TEST]
    assert [file for file in named if not (ROOT / file).is_file()] == []


def test_a_file_stays_together_unless_it_is_divisible():
    assert side_by_side.unit_of("tests/test_wheel.py::test_one[a::b]") == "tests/test_wheel.py"
    assert side_by_side.unit_of("tests/laws/test_access.py::test_one[a::b]") == "tests/laws/test_access.py::test_one[a::b]"


@pytest.mark.parametrize("file", sorted(side_by_side.TEST_BY_TEST))
def test_the_tests_of_a_divisible_file_share_no_fixture(file):
    text = (ROOT / file).read_text()
    assert 'scope="module"' not in text
    assert 'scope="class"' not in text


def test_the_certificates_that_clients_trust_are_read_once_and_those_that_a_test_names_are_its_own(monkeypatch):
    usual = httpx.create_ssl_context()
    with httpx.Client() as one, httpx.Client() as other:
        assert one._transport._pool._ssl_context is other._transport._pool._ssl_context is usual
    own = ssl.create_default_context()
    assert httpx.create_ssl_context(verify=own) is own
    assert httpx.create_ssl_context(verify=False).verify_mode is ssl.CERT_NONE
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert httpx.create_ssl_context() is not usual


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
