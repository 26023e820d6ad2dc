"""A file of lines that is written by processes that are killed anywhere: each line is there once, whole and in order."""

import json
import os
import random
import resource

import pytest

from connectors.event_files import rotating_file
from connectors.event_files.rotating_file import Line, RotatingFile
from schemas.errors import BadConfiguration, MustStop, StoreFailed


def line(number, size=20):
    return Line(id=f"e{number}", text=json.dumps({"id": f"e{number}", "text": "x" * size}).encode())


def id_of(text):
    try:
        return json.loads(text)["id"]
    except (ValueError, LookupError):
        return None


def opened(path, *, rotate_bytes=10**9, keep=0):
    return RotatingFile(path, rotate_bytes=rotate_bytes, keep=keep, id_of=id_of)


def lines_of(folder):
    """Return the ids of all lines, renamed files first."""
    names = [path for path in folder.iterdir() if path.name.endswith(".jsonl")]
    text = b"".join(path.read_bytes() for path in sorted(names, key=lambda path: (path.name == "f.jsonl", path.name)))
    assert text == b"" or text.endswith(b"\n")
    return [json.loads(each)["id"] for each in text.splitlines()]


def test_what_is_appended_is_there_with_its_position_and_nobody_else_may_read_it(tmp_path):
    with opened(tmp_path / "sub" / "f.jsonl") as file:
        assert file.append([line(1), line(2)], {"0": 7}) == 2
    assert lines_of(tmp_path / "sub") == ["e1", "e2"]
    assert (tmp_path / "sub" / "f.jsonl").stat().st_mode & 0o7 == 0
    with opened(tmp_path / "sub" / "f.jsonl") as file:
        assert (file.positions, file.written) == ({"0": 7}, set())


def test_a_second_process_is_refused(tmp_path):
    with opened(tmp_path / "f.jsonl"), pytest.raises(MustStop, match="another process writes"), opened(tmp_path / "f.jsonl"):
        pass


def test_a_large_file_is_renamed_and_the_oldest_are_deleted(tmp_path):
    with opened(tmp_path / "f.jsonl", rotate_bytes=100, keep=2) as file:
        for number in range(9):
            file.append([line(number, 120)], {"0": number})
    names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert names == ["f.000008.jsonl", "f.000009.jsonl", "f.jsonl"]
    assert lines_of(tmp_path) == ["e7", "e8"]


def test_a_file_that_something_else_has_renamed_is_begun_again(tmp_path):
    with opened(tmp_path / "f.jsonl") as file:
        file.append([line(1)], {"0": 1})
        (tmp_path / "f.jsonl").rename(tmp_path / "moved")
        file.append([line(2)], {"0": 2})
    assert lines_of(tmp_path) == ["e2"]
    with opened(tmp_path / "f.jsonl") as file:
        assert file.append([line(3)], {"0": 3}) == 1


class Killed(BaseException):
    pass


def dying(monkeypatch, chance):
    """Let the process die before or behind any of its system calls, a write after any byte."""
    left = [chance.randrange(1, 25)]

    def at_any_call(name, module=os):
        real = getattr(module, name)

        def call(*arguments, **more):
            left[0] -= 1
            if left[0] == 0:
                if name == "write" and chance.random() < 0.7:
                    real(arguments[0], bytes(arguments[1])[: chance.randrange(len(arguments[1]) + 1)])
                raise Killed
            done = real(*arguments, **more)
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return done

        monkeypatch.setattr(module, name, call)

    for name in ("write", "fsync"):
        at_any_call(name)
    for name in ("replace", "rename", "unlink"):
        at_any_call(name, rotating_file.Path)


@pytest.mark.parametrize("seed", range(30))
def test_killed_at_any_system_call_each_line_is_there_once_whole_and_in_order(tmp_path, monkeypatch, seed):
    chance = random.Random(seed)
    events = [line(number, chance.randrange(60)) for number in range(60)]
    for _ in range(200):
        with monkeypatch.context() as patch, opened(tmp_path / "f.jsonl", rotate_bytes=400) as file:
            at = file.positions.get("0", 0)
            if at == len(events) and not file.written:
                break
            dying(patch, chance)
            try:
                while at < len(events):
                    many = chance.randrange(1, 12)
                    file.append(events[at : at + many], {"0": min(at + many, len(events))})
                    at = min(at + many, len(events))
            except Killed:
                pass
    assert lines_of(tmp_path) == [each.id for each in events]


def test_without_its_position_a_file_is_recognised_by_its_lines(tmp_path):
    with opened(tmp_path / "f.jsonl", rotate_bytes=50) as file:
        for number in range(5):
            file.append([line(number)], {"0": number + 1})
    (tmp_path / "f.jsonl.position").unlink()
    with opened(tmp_path / "f.jsonl") as file:
        assert file.positions == {}
        assert file.append([line(number) for number in range(7)], {"0": 7}) == 2
    assert lines_of(tmp_path) == [f"e{number}" for number in range(7)]


def test_a_position_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "f.jsonl.position").write_text("{")
    with pytest.raises(BadConfiguration, match="Delete it"), opened(tmp_path / "f.jsonl"):
        pass


def test_a_full_disk_loses_and_repeats_nothing(tmp_path):
    """A limit of the process stands for the disk's: a write stops in the middle of a line."""
    with opened(tmp_path / "f.jsonl") as file:
        file.append([line(1)], {"0": 1})
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "f.jsonl").stat().st_size + 30, before[1]))
        try:
            with pytest.raises(StoreFailed, match="File too large"):
                file.append([line(2), line(3)], {"0": 3})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert lines_of(tmp_path) == ["e1"]
        assert file.append([line(2), line(3)], {"0": 3}) == 2
    assert lines_of(tmp_path) == ["e1", "e2", "e3"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(BadConfiguration, match="Choose another"), opened(tmp_path / "f.jsonl"):
            pass
    finally:
        tmp_path.chmod(0o700)
