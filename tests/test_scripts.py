"""The shell scripts: one environment, made once from hashes, with an error message for each failure."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import DEADLINE_S

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(
    path for path in [*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run"] if path.is_file() and path.suffix != ".py"
)
TOOLS = ("sh", "cat", "cksum", "cp", "dirname", "mkdir", "rm", "sleep", "awk")


def program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A tree with the real scripts, whose environment is made by a `uv` that only records its calls."""
    root = tmp_path / "a clone"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    shutil.copytree(ROOT / "requirements", root / "requirements")
    shutil.copy(ROOT / "pyproject.toml", root)
    program(root / "scripts" / "probe", '. "$(dirname "$0")/_env.sh"\necho "ready: $bin"')
    program(root / ".venv" / "bin" / "python", "exit 0")
    program(root / ".venv" / "bin" / "uv", 'echo "$@" >>"$(dirname "$0")/../../calls"')
    program(root / ".venv" / "bin" / "intercom-streams", "exit 0")
    return root


def bench_env(clone: Path, uv: str) -> None:
    """Give the clone a script with the environment of `scripts/bench`, made by a program `uv` with this text."""
    (clone / ".venv").rename(clone / ".venv-bench")
    program(clone / "scripts" / "probe", 'env_of=bench\n. "$(dirname "$0")/_env.sh"\necho "ready: $bin"')
    program(clone / ".venv-bench" / "bin" / "uv", f'echo "$@" >>"$(dirname "$0")/../../calls"\n{uv}')


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH without any Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in TOOLS:
        path = shutil.which(tool)
        assert path is not None
        (folder / tool).symlink_to(path)
    return folder


@pytest.fixture
def sleeping_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives as long as the test."""
    with subprocess.Popen(["sleep", "600"]) as living:
        yield living
        living.kill()


def run(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "scripts" / "probe"],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, **environment},
        timeout=DEADLINE_S,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_plain_sh_and_can_be_executed(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert script.name.startswith("_") or os.access(script, os.X_OK)
    assert script.name.startswith("_") or script.read_text().startswith("#!/bin/sh\n")


def test_the_first_run_installs_by_hashes_alone_and_the_second_does_nothing(clone: Path) -> None:
    first = run(clone)
    assert first.returncode == 0
    assert first.stdout == f"ready: {clone}/.venv/bin\n"
    calls = (clone / "calls").read_text()
    assert "pip sync" in calls
    assert "--require-hashes" in calls
    second = run(clone)
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")
    assert (clone / "calls").read_text() == calls


def test_a_changed_lock_makes_the_environment_anew(clone: Path) -> None:
    run(clone)
    before = (clone / "calls").read_text()
    with (clone / "requirements" / "dev.lock").open("a") as lock:
        lock.write("# changed\n")
    run(clone)
    assert len((clone / "calls").read_text()) > len(before)


def test_uv_itself_is_installed_by_its_hashes_where_it_is_missing(clone: Path) -> None:
    (clone / ".venv" / "bin" / "uv").unlink()
    program(
        clone / ".venv" / "bin" / "python",
        '[ "${3-}" != install ] || cat "$(dirname "$0")/../uv.lock" >"$(dirname "$0")/../../asked"',
    )
    run(clone)
    asked = (clone / "asked").read_text()
    assert asked.startswith("uv==")
    assert asked.count("==") == 1
    assert "--hash=sha256:" in asked


def test_a_failed_installation_says_what_to_check_and_is_tried_again(clone: Path) -> None:
    program(clone / ".venv" / "bin" / "uv", '[ "$1" = --version ] || { echo "no route" >&2; exit 2; }')
    failed = run(clone)
    assert failed.returncode == 1
    assert "no route" in failed.stderr
    assert "HTTPS_PROXY" in failed.stderr
    assert not (clone / ".venv.lock").exists()
    program(clone / ".venv" / "bin" / "uv", "exit 0")
    assert run(clone).returncode == 0


def test_the_benchmarks_have_an_environment_of_their_own_with_the_rivals_packages(clone: Path) -> None:
    bench_env(clone, "exit 0")
    made = run(clone)
    assert (made.returncode, made.stdout) == (0, f"ready: {clone}/.venv-bench/bin\n")
    assert f"{clone}/requirements/bench.lock" in (clone / "calls").read_text()
    assert not (clone / ".venv").exists()
    assert (run(clone).stdout, run(clone).stderr) == (made.stdout, "")


def test_rivals_that_cannot_be_had_are_left_out_with_a_word_and_tried_again(clone: Path) -> None:
    bench_env(clone, 'case "$*" in *bench.lock) echo "no wheel" >&2; exit 1 ;; esac')
    for _ in range(2):
        made = run(clone)
        assert (made.returncode, made.stdout) == (0, f"ready: {clone}/.venv-bench/bin\n")
        assert "no wheel" in made.stderr
        assert "continuing without them" in made.stderr
    assert (clone / "calls").read_text().count("bench.lock") == 2
    program(clone / ".venv-bench" / "bin" / "uv", "exit 0")
    run(clone)
    assert run(clone).stderr == ""


def test_an_environment_for_benchmarks_without_any_network_says_what_to_check(clone: Path) -> None:
    bench_env(clone, '[ "$1" = --version ] || exit 2')
    failed = run(clone)
    assert failed.returncode == 1
    assert "HTTPS_PROXY" in failed.stderr


def test_a_machine_without_python_is_told_how_to_name_one(clone: Path, tools: Path) -> None:
    shutil.rmtree(clone / ".venv")
    refused = run(clone, PATH=str(tools))
    assert refused.returncode == 1
    assert "Python 3.11 or newer was not found" in refused.stderr
    assert not (clone / ".venv.lock").exists()


def test_a_python_that_is_too_old_is_passed_over(clone: Path, tools: Path) -> None:
    shutil.rmtree(clone / ".venv")
    program(tools / "python3", "exit 1")
    made = clone / ".venv" / "bin"
    program(tools / "uv", "exit 0")
    program(tools / "python", f'[ "$1" != -m ] || {{ mkdir -p "{made}"; cp "$0" "{tools}/uv" "{made}"; }}')
    assert run(clone, PATH=str(tools)).returncode == 0
    assert (made / "python").exists()


def test_an_environment_that_an_interrupted_run_left_without_pip_is_made_anew(clone: Path, tools: Path) -> None:
    made = clone / ".venv" / "bin"
    (made / "uv").unlink()
    program(made / "python", '[ "$1" != -m ]')
    program(tools / "uv", "exit 0")
    program(tools / "python3.11", f'[ "$1" != -m ] || cp "{tools}/uv" "{made}"')
    assert run(clone, PATH=str(tools)).returncode == 0


def test_the_lock_of_a_killed_script_is_taken_over(clone: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    (clone / ".venv.lock").mkdir()
    (clone / ".venv.lock" / "pid").write_text(f"{gone.pid}\n")
    assert run(clone).returncode == 0
    assert not (clone / ".venv.lock").exists()


def test_a_second_script_waits_for_the_first_and_says_so(clone: Path, sleeping_process: subprocess.Popen[bytes]) -> None:
    (clone / ".venv.lock").mkdir()
    (clone / ".venv.lock" / "pid").write_text(f"{sleeping_process.pid}\n")
    with subprocess.Popen([clone / "scripts" / "probe"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        assert "Waiting for another script" in waiting.stderr.readline()
        sleeping_process.kill()
        sleeping_process.wait()
        output, _ = waiting.communicate(timeout=DEADLINE_S)
    assert output == f"ready: {clone}/.venv/bin\n"
