"""The command line as a user sees it: every verb has help, every mistake gets an error message."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streams.cli.main import root
from streams.cli.verbs import VERBS
from tests.patience import DEADLINE_S
from tests.support.config import config_text

ROOT = Path(__file__).parents[3]
GOOD = config_text(kafka={"bootstrap": "127.0.0.1:1"})


def typed(*words, cwd, **environment):
    """Run the command as a process, without the variables of the shell that runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("KAFKA_BOOTSTRAP", "INTERCOM_STREAMS_CONFIG")}
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=DEADLINE_S,
        env=inherited | {"PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def commands(command=root, words=()):
    """Return every command of the tree: the words to type, and the command that they name."""
    context = click.Context(command)
    if not isinstance(command, click.Group):
        return [(words, command)]
    return [
        entry for name in command.list_commands(context) for entry in commands(command.get_command(context, name), (*words, name))
    ]


def groups(command=root, words=()):
    """Return every group of the tree, likewise."""
    context = click.Context(command)
    inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    below = [each for name, found in inner if isinstance(found, click.Group) for each in groups(found, (*words, name))]
    return [(words, command), *below]


def test_every_verb_of_the_table_is_a_command_and_no_other_is():
    context = click.Context(root)
    assert root.list_commands(context) == list(VERBS)
    assert root.get_command(context, "nonsense") is None
    assert all(root.get_command(context, verb) is not None for verb in VERBS)


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_every_command_has_help_that_says_what_it_does(words):
    shown = CliRunner().invoke(root, [*words, "--help"])
    assert shown.exit_code == 0
    about = shown.output.split("\n\n")[1].strip()
    assert about
    assert not about.startswith("Options:"), "the help has no sentence"


@pytest.mark.parametrize(("words", "group"), groups(), ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_the_help_of_a_group_has_the_first_sentence_of_each_command_whole(words, group):
    shown = CliRunner().invoke(root, [*words, "--help"], terminal_width=2_000).output
    listed = dict(line.strip().split(maxsplit=1) for line in shown.partition("Commands:\n")[2].splitlines())
    for name in group.list_commands(click.Context(group)):
        sentence, _, _ = (group.get_command(click.Context(group), name).help or "").replace("\n", " ").partition(". ")
        assert listed[name].rstrip(".") == (VERBS[name] if group is root else sentence).rstrip(".").split("  ")[0]


def test_the_sentence_of_a_verb_is_written_once():
    sources = [path.read_text() for path in (ROOT / "streams" / "cli").rglob("*.py")]
    assert {verb: sum(sentence in source for source in sources) for verb, sentence in VERBS.items()} == dict.fromkeys(VERBS, 1)


def test_every_option_says_what_it_is_for():
    without_help = [
        (words, option.opts)
        for words, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert without_help == []


def test_version_and_help_are_there(tmp_path):
    assert "Usage: intercom-streams" in typed("-h", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run",), "There is no configuration file intercom-streams.toml"),
        (("ingress", "--config", "none.toml"), "There is no configuration file none.toml"),
        (("--config", "none.toml", "worker"), "There is no configuration file none.toml"),
        (("run", "--config", "broken.toml"), "broken.toml is not TOML: "),
        (("run", "--config", "typo.toml"), "kafka.bootsrap (line 2): unknown key; did you mean bootstrap?"),
    ],
)
def test_a_wrong_configuration_is_one_paragraph_and_exit_code_3(tmp_path, words, expected):
    (tmp_path / "broken.toml").write_text("[kafka\n")
    (tmp_path / "typo.toml").write_text(GOOD.replace("bootstrap", "bootsrap"))
    done = typed(*words, cwd=tmp_path)
    assert done.stderr.startswith("Error: ")
    assert expected in done.stderr
    assert "\n\n" not in done.stderr.strip()
    assert done.returncode == 3


def test_the_configuration_may_be_named_before_the_verb_after_it_and_by_the_environment(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "body.json").write_text("{}")
    expected = "Nobody answers at http://127.0.0.1:8080/webhooks/intercom"
    send = ("send", "body.json")
    assert expected in typed("--config", "good.toml", *send, cwd=tmp_path).stderr
    assert expected in typed(*send, "--config", "good.toml", cwd=tmp_path).stderr
    assert expected in typed(*send, cwd=tmp_path, INTERCOM_STREAMS_CONFIG="good.toml").stderr


def test_nobody_answering_is_exit_code_1_because_trying_again_may_help(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "body.json").write_text("{}")
    assert typed("--config", "good.toml", "send", "body.json", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize(
    "words",
    ["replay --list", "rebuild --list", "dead-letters list", "status --once", "trace notif_1", "workspace list", "backup files"],
)
def test_every_command_says_in_the_same_words_that_kafka_is_away(words, tmp_path):
    (tmp_path / "intercom-streams.toml").write_text(GOOD)
    done = typed(*words.split(), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Kafka at 127.0.0.1:1 does not answer (KafkaConnectionError). Is it running")


def test_a_verb_that_does_not_exist_is_named(tmp_path):
    done = typed("sned", cwd=tmp_path)
    assert "No such command 'sned'" in done.stderr
    assert done.returncode == 2


def test_an_app_nobody_configured_cannot_sign(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "body.json").write_text("{}")
    done = typed("send", "body.json", "--app", "sales", "--config", "good.toml", cwd=tmp_path)
    assert "No [[apps]] has the name 'sales'. Known: support." in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_an_output_without_room_is_said_in_words(words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "streams.cli", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            timeout=DEADLINE_S, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert done.stderr == "Error: the output cannot be written: No space left on device. Make room, or send it elsewhere.\n"
    assert done.returncode == 1


def test_who_reads_no_further_than_the_first_line_sees_no_error():
    read, written = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "--version"], stdout=written, stderr=subprocess.PIPE, text=True, check=False,
        timeout=DEADLINE_S, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(written)
    assert (done.stderr, done.returncode) == ("", 1)
