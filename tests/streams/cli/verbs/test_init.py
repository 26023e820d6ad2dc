"""`init`: a configuration to begin with, never over one that is there, never half of one."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli.main import root
from streams.settings import load
from streams.settings.example import example


def typed(*words: str, environment: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(root, ["init", *words], env=environment)


def test_what_it_writes_is_understood_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    result = typed()
    assert (result.exit_code, (tmp_path / "intercom-streams.toml").read_text()) == (0, example())
    secrets = {"INTERCOM_CLIENT_SECRET": "s" * 40, "SCIM_TOKEN": "t" * 20}
    assert load("intercom-streams.toml", environment=secrets).tenancy.workspaces


def test_it_goes_where_the_other_commands_look(tmp_path: Path):
    path = tmp_path / "there.toml"
    assert typed(environment={"INTERCOM_STREAMS_CONFIG": str(path)}).exit_code == 0
    assert path.exists()


def test_a_file_that_exists_is_left_as_it_is(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text("mine")
    result = typed(str(path))
    assert (result.exit_code != 0, path.read_text()) == (True, "mine")
    assert "exists already, and was left as it is" in str(result.exception)


def test_a_dangling_link_is_not_followed(tmp_path: Path):
    (tmp_path / "link.toml").symlink_to(tmp_path / "elsewhere.toml")
    assert typed(str(tmp_path / "link.toml")).exit_code != 0
    assert not (tmp_path / "elsewhere.toml").exists()


@pytest.mark.parametrize("name", ["missing/file.toml", "file.txt/file.toml"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str):
    (tmp_path / "file.txt").touch()
    result = typed(str(tmp_path / name))
    assert result.exit_code != 0
    assert "cannot be written" in str(result.exception)


def test_a_full_disk_leaves_no_half_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streams.cli.verbs.init._write", full(tmp_path))
    result = typed(str(tmp_path / "new.toml"))
    assert result.exit_code != 0
    assert list(tmp_path.iterdir()) == []


def full(folder: Path):
    from streams.cli.verbs.init import _write

    def write(path: Path, text: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pathlib.Path.open", lambda *_, **__: NoRoom(path))
            _write(path, text)

    return write


class NoRoom:
    """A new file on a disk that has no room for its text."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self):
        self._path.touch()
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, _: str) -> None:
        raise OSError(28, "No space left on device")
