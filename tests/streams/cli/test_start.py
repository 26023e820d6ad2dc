"""A command starts without the libraries that it has no use for: they would cost each of them a third of its start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OPERATORS = ("topics", "tail", "trace", "dead_letters", "backup", "restore")


def loaded_by(*verbs: str) -> set[str]:
    code = f"import json, sys, {', '.join(f'streams.cli.verbs.{verb}' for verb in verbs)}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("verbs", "unused"),
    [
        (OPERATORS, {"httpx", "rich", "phonenumbers", "email_validator", "faust"}),
        (("sync",), {"faust", "aiohttp", "phonenumbers", "email_validator"}),
        (("worker",), {"aiohttp", "httpx", "phonenumbers", "email_validator", "fpdf", "holidays"}),
    ],
    ids=["operators", "sync", "worker"],
)
def test_a_command_loads_no_library_that_it_has_no_use_for(verbs: tuple[str, ...], unused: set[str]):
    loaded = loaded_by(*verbs)
    assert f"streams.cli.verbs.{verbs[0]}" in loaded
    assert loaded & unused == set()


def test_a_worker_that_has_made_its_engine_has_not_loaded_aiohttp_and_it_can_be_loaded():
    code = """
import sys
from connectors.kafka.settings import KafkaSettings
from streams.cli.verbs import worker
from streams.engine.faust_adapter.app import BatchApp
from streams.engine.limits import Limits
from streams.engine.naming import Naming

app = BatchApp((), kafka=KafkaSettings(bootstrap="127.0.0.1:1"), names=Naming(), limits=Limits(), assignment=None)
assert not app.conf.web_enabled
assert "aiohttp" not in sys.modules and "aiohttp.client" not in sys.modules
import aiohttp
assert aiohttp.ClientSession is aiohttp.client.ClientSession
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_looks_for_garbage_while_a_verb_is_loaded():
    code = """
import gc, json, sys
from streams.cli.main import root

enabled = []

class Finder:
    def find_spec(self, *_):
        enabled.append(gc.isenabled())

sys.meta_path.insert(0, Finder())
command = root.get_command(None, "worker")
print(json.dumps([len(enabled) > 100, any(enabled), gc.isenabled(), command.name]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, False, True, "worker"]
