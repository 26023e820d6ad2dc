"""The command line as a person meets it: every verb has help, every mistake is answered in words."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streams.cli.main import root
from streams.cli.verbs import VERBS

ROOT = Path(__file__).parents[3]
GOOD = """
[kafka]
bootstrap = "127.0.0.1:1"
[[apps]]
name = "support"
client_secrets = ["s"]
[[tenants]]
id = "acme"
[[tenants.workspaces]]
app_id = "abc12345"
app = "support"
"""


def typed(*words, cwd, **environment):
    """Run the command as a process, without the variables of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if name not in ("KAFKA_BOOTSTRAP", "INTERCOM_STREAMS_CONFIG")}
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=60,
        env=kept | {"PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def commands(command=root, words=()):
    """Walk the whole tree: words to type, and the command they name."""
    context = click.Context(command)
    if not isinstance(command, click.Group):
        return [(words, command)]
    return [
        found for name in command.list_commands(context) for found in commands(command.get_command(context, name), (*words, name))
    ]


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


def test_every_option_says_what_it_is_for():
    silent = [
        (words, option.opts)
        for words, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


def test_version_and_help_are_there(tmp_path):
    assert "Usage: intercom-streams" in typed("-h", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run",), "There is no configuration file intercom-streams.toml"),
        (("ingress", "--config", "none.toml"), "There is no configuration file none.toml"),
        (("--config", "none.toml", "worker"), "There is no configuration file none.toml"),
        (("run", "--config", "broken.toml"), "broken.toml is not TOML: "),
        (("run", "--config", "typo.toml"), "kafka.bootsrap (line 3): unknown key; did you mean bootstrap?"),
    ],
)
def test_a_wrong_configuration_is_one_paragraph_and_exit_code_3(tmp_path, words, told):
    (tmp_path / "broken.toml").write_text("[kafka\n")
    (tmp_path / "typo.toml").write_text(GOOD.replace("bootstrap", "bootsrap"))
    done = typed(*words, cwd=tmp_path)
    assert done.stderr.startswith("Error: ")
    assert told in done.stderr
    assert "\n\n" not in done.stderr.strip()
    assert done.returncode == 3


def test_the_configuration_may_be_named_before_the_verb_after_it_and_by_the_environment(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "body.json").write_text("{}")
    told = "Nobody answers at http://127.0.0.1:8080/webhooks/intercom"
    send = ("send", "body.json")
    assert told in typed("--config", "good.toml", *send, cwd=tmp_path).stderr
    assert told in typed(*send, "--config", "good.toml", cwd=tmp_path).stderr
    assert told in typed(*send, cwd=tmp_path, INTERCOM_STREAMS_CONFIG="good.toml").stderr


def test_nobody_answering_is_exit_code_1_because_trying_again_may_help(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "body.json").write_text("{}")
    assert typed("--config", "good.toml", "send", "body.json", cwd=tmp_path).returncode == 1


def test_a_verb_that_does_not_exist_is_named(tmp_path):
    done = typed("sned", cwd=tmp_path)
    assert "No such command 'sned'" in done.stderr
    assert done.returncode == 2


def test_an_app_nobody_configured_cannot_sign(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "body.json").write_text("{}")
    done = typed("send", "body.json", "--app", "sales", "--config", "good.toml", cwd=tmp_path)
    assert "No [[apps]] has the name 'sales'. Known: support." in done.stderr
