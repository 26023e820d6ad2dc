"""`simulate serve` as a process."""

import signal
import subprocess
import sys

import httpx
from click.testing import CliRunner

from streams.cli.main import root


def test_a_process_serves_the_workspace_of_its_switches_and_ends_at_once_when_asked() -> None:
    command = [sys.executable, "-m", "streams.cli", "simulate", "serve", "--listen", "127.0.0.1:0", "--app-id", "abc12345"]
    options = ["--contacts", "50", "--token", "t0ken", "--region", "eu", "--fault", 'plan_restricted=["/tickets"]']
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            with httpx.Client(base_url=url, headers={"Authorization": "Bearer t0ken"}) as client:
                app = client.get("/me").json()["app"]
                assert (app["id_code"], app["region"]) == ("abc12345", "EU")
                assert client.get("/contacts").json()["total_count"] == 50
                assert client.get("/tickets/1").status_code == 403
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def test_wrong_switches_are_refused_with_what_is_right() -> None:
    for options, text in (
        (["--fault", "lost=7"], "--fault"),
        (["--listen", "nowhere"], "--listen"),
        (["--contacts", "3"], "10<=x<=1000000"),
        (["--time-zone", "Mars/Olympus"], "Europe/Dublin"),
    ):
        result = CliRunner().invoke(root, ["simulate", "serve", *options])
        assert result.exit_code != 0
        assert text in result.output + str(result.exception)
