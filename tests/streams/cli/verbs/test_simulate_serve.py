"""`simulate serve` as a process."""

import signal
import subprocess
import sys

import httpx
from click.testing import CliRunner

from streams.cli.main import root
from tests.support.simulator.served import APP_ID, TOKEN, config, simulated_intercom


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


def test_connect_finds_in_a_simulated_workspace_all_that_it_needs_and_what_a_fault_takes_away(tmp_path) -> None:
    with simulated_intercom(config()) as intercom:
        (tmp_path / "c.toml").write_text(
            '[redis]\nurl = "redis://127.0.0.1:9/0"\n[[apps]]\nname = "support"\nclient_secrets = ["s"]\n[[tenants]]\nid = "acme"\n'
            f'[[tenants.workspaces]]\napp_id = "{APP_ID}"\napp = "support"\naccess_token = "{TOKEN}"\napi_url = "{intercom.url}"\n'
        )

        def reads() -> dict[str, str]:
            result = CliRunner().invoke(root, ["connect", "--no-post", "--config", str(tmp_path / "c.toml")])
            lines = [
                line.split(":")[0].split(maxsplit=1) for line in result.output.splitlines() if " read " in line.split(":")[0]
            ]
            return {name: standing for standing, name in lines}

        every = reads()
        assert len(every) > 5
        assert set(every.values()) == {"ok"}
        intercom.fault(plan_restricted=["/tickets"], scopes_missing=["/conversations"])
        assert {name for name, standing in reads().items() if standing != "ok"} == {"read tickets", "read conversations"}
