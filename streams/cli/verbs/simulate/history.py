"""`simulate`: send a small company's history to an ingress."""

import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import msgspec

from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.simulator.history import Scene, SimulatedPost, StaffFileStep, Step, as_csv
from connectors.simulator.post import PostResult, post, webhook_headers
from connectors.simulator.scenarios import SCENARIOS, about
from schemas.cloudevents import timestamp
from schemas.errors import BadConfiguration, Unavailable
from schemas.json_lines import json_line
from schemas.tenancy import Secret, Tenancy, Workspace
from streams.cli.group import CommandGroup
from streams.cli.number_param import FiniteRange
from streams.cli.options import config_of, config_option, json_option, settings_of
from streams.settings.urls import local_url
from streams.supervise.self_process import call

_START = "2026-01-05T09:00:00"


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.option(
    "--scenario", type=click.Choice(list(SCENARIOS)), default="company", show_default=True, help="Which history; see --list."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another seed is another company; the same seed the same bytes."
)
@click.option("--start", type=click.DateTime(), default=_START, show_default=True, help="When the history begins (UTC).")
@click.option("--app-id", help="The workspace it happens in. Default: the first one configured.")
@click.option("--url", help=f"Where to post. Default: http:// + [ingress] listen + {WEBHOOK_PATH}.")
@click.option("--rate", type=FiniteRange(min=0, min_open=True), default=20.0, show_default=True, help="Posts per second.")
@click.option("--list", "listing", is_flag=True, help="Show the scenarios and stop.")
@json_option
@config_option
@click.pass_context
def simulate(
    ctx: click.Context, *, scenario: str, seed: int, start: datetime, app_id: str | None, url: str | None, rate: float,
    listing: bool, as_json: bool,
) -> None:  # fmt: skip
    """Send a small company's history as signed webhooks, and import its staff files when they change.

    The same seed gives the same bytes: posts sent twice change nothing.
    """
    if ctx.invoked_subcommand is not None:
        return
    if listing:
        click.echo("\n".join(f"{name:10}  {about(name)}" for name in SCENARIOS))
        return
    settings = settings_of(ctx)
    workspace = _workspace(settings.tenancy, app_id)
    scene = Scene(app_id=workspace.app_id, start_ms=int(start.replace(tzinfo=UTC).timestamp() * 1000), seed=seed)
    simulation = _Simulation(
        url=url or local_url(settings.ingress.listen, WEBHOOK_PATH),
        secret=settings.tenancy.apps[workspace.app].client_secrets[0],
        tenant=settings.tenancy.owners[workspace.app_id],
        config=config_of(ctx),
        echo=_print_json if as_json else _print_text,
    )
    refused = simulation.run(SCENARIOS[scenario](scene), rate)
    if refused:
        raise Unavailable(f"{refused} posts were not answered 200. The answers above say why.")


class _Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a history is sent, and how each step is printed."""

    url: str
    secret: Secret
    tenant: str
    config: str | None
    echo: Callable[[Step, PostResult | None], None]

    def run(self, history: Iterable[Step], rate: float) -> int:
        """Send every step, at most `rate` posts per second; return how many posts were not accepted."""
        refused = 0
        with httpx.Client() as client:
            for step in history:
                result = None
                if isinstance(step, StaffFileStep):
                    self._import(step)
                else:
                    result = self._post(client, step, 1 / rate)
                    refused += not result.accepted
                self.echo(step, result)
        return refused

    def _post(self, client: httpx.Client, step: SimulatedPost, pause_s: float) -> PostResult:
        result = post(client, self.url, step.body, webhook_headers(step.body, self.secret))
        time.sleep(max(0.0, pause_s - result.ms / 1000))
        return result

    def _import(self, step: StaffFileStep) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "staff.csv"
            file.write_text(as_csv(step.rows), encoding="utf-8")
            call(self.config, "staff", "import", str(file), "--tenant", self.tenant, "--complete")


def _workspace(tenancy: Tenancy, app_id: str | None) -> Workspace:
    known = tenancy.workspaces
    if app_id is None and known:
        return next(iter(known.values()))
    if app_id is None or app_id not in known:
        raise BadConfiguration(
            f"{'No workspace is configured' if app_id is None else f'No workspace has the app_id {app_id!r}'}. "
            f"A history needs one: [[tenants.workspaces]] in the configuration. Known: {', '.join(known) or 'none'}."
        )
    return known[app_id]


def _print_text(step: Step, result: PostResult | None) -> None:
    click.echo(f"{result.status}  {result.ms:6.1f} ms  {step.about}" if result else f"staff import   {step.about}")


def _print_json(step: Step, result: PostResult | None) -> None:
    line = {"about": step.about, "topic": step.topic if isinstance(step, SimulatedPost) else "staff", "at": timestamp(step.at_ms)}
    click.echo(json_line(line | ({"status": result.status, "ms": round(result.ms, 1)} if result else {})))
