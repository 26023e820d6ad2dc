"""Verbs that only read and write Kafka work in a shell in which the secrets of Intercom's apps are not set."""

import pytest
from click.testing import CliRunner

from streams.cli.main import root
from tests.support.config import config_text, write_config

NOT_SET = "${INTERCOM_CLIENT_SECRET_THAT_IS_NOT_SET}"


@pytest.mark.parametrize("verb", [("explain", "a1"), ("restore",), ("adopt",), ("purge", "--verify")])
def test_activities_ask_for_no_secret_of_an_app(verb, tmp_path, monkeypatch):
    text = config_text(apps={"support": (NOT_SET,)}, kafka={"bootstrap": "127.0.0.1:1"})
    started = []

    def run(work):
        work.close()
        started.append(verb)
        raise SystemExit(3)

    for module in ("adoption", "explanation", "purge"):
        monkeypatch.setattr(f"streams.cli.verbs.activities.{module}.run", run)
    result = CliRunner().invoke(root, ["activities", *verb, "--config", str(write_config(tmp_path, text))])
    assert (result.exit_code, started) == (3, [verb]), result.output
