"""`connect`: walk a new user through connecting a workspace."""

import asyncio
import shutil
import sys
import textwrap
from collections.abc import AsyncIterator
from typing import Final

import click
import msgspec

from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from schemas.errors import BadConfiguration, IntercomStreamsError, MustStop
from schemas.json_lines import json_line
from streams.cli.options import config_option, json_option, settings_of, workspace_option
from streams.cli.rest_client import rest_client
from streams.cli.run_async import run
from streams.cli.verbs.backfill.read_workspace import read_workspace
from streams.cli.workspace import workspace_of
from streams.ops.connect.followed_post import follow_test_event
from streams.ops.connect.permissions import granted
from streams.ops.connect.subscriptions import SUBSCRIPTIONS
from streams.settings import Settings
from streams.settings.urls import local_url

_ATTEMPTS: Final = 3  # of each call: somebody waits for the answer, and will run it again
_OK, _TODO, _MISSING, _FAILED = "ok", "todo", "missing", "failed"
_MARKS = {_OK: "ok     ", _TODO: "to do  ", _MISSING: "missing", _FAILED: "FAILED "}
_LINES = """
[[tenants.workspaces]]
app_id = "{app_id}"
app = "{app}"
region = "us"
access_token = "${{INTERCOM_TOKEN:-}}"
"""


class ConnectStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at, or is to be done in Intercom: `state` is ok, todo, missing (works without) or failed; `text` says what to do."""

    step: str
    state: str
    text: str = ""


@click.command()
@workspace_option
@click.option("--url", metavar="URL", help="The public URL of your ingress. Default: the local one, http:// + [ingress] listen.")
@click.option(
    "--backfill", is_flag=True, help="Read who is there already, as `intercom-streams backfill` does, if nothing failed."
)
@click.option("--no-post", is_flag=True, help="Do not post a test event.")
@json_option
@config_option
@click.pass_context
def connect(ctx: click.Context, *, workspace: str | None, url: str | None, backfill: bool, no_post: bool, as_json: bool) -> None:
    """Check all that a workspace needs: its token, its region, what the token may read, the webhook topics, and a post to the ingress.

    Each failure says what to click in Intercom. It asks nothing, and changes nothing in Intercom; run it again after each step. Exit code 1 while something fails.
    """
    settings = settings_of(ctx)
    if workspace is not None and workspace not in settings.tenancy.owners:
        app = next(iter(settings.tenancy.apps), "support")
        raise BadConfiguration(
            f"No workspace '{workspace}' is configured. Put these lines behind its tenant, the region as it is, and run this again:\n"
            + _LINES.format(app_id=workspace, app=app)
        )
    app_id, _ = workspace_of(settings.tenancy, workspace)
    failed = run(_steps(settings, app_id, url, post=not no_post, as_json=as_json))
    if failed:
        if not as_json:
            click.echo(f"failed: {', '.join(failed)}", err=True)
        ctx.exit(1)
    if backfill:
        read_workspace(settings, app_id, (), as_json=as_json)
    elif not as_json:
        click.echo("next: `intercom-streams run`, then `intercom-streams backfill` reads who is there already")


async def _steps(settings: Settings, app_id: str, url: str | None, *, post: bool, as_json: bool) -> list[str]:
    """Print each step as it is found; return those that failed."""
    failed: list[str] = []
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    async for step in _found(settings, app_id, url, post=post):
        failed += [step.step] if step.state == _FAILED else []
        click.echo(json_line(step) if as_json else shown_step(step, width))
    return failed


def shown_step(step: ConnectStep, width: int | None) -> str:
    """Return a step as a line; on a terminal of a width as several, in which no name or address is cut in two."""
    text = f"{_MARKS[step.state]}  {step.step}{': ' if step.text else ''}{step.text}"
    if width is None:
        return text
    return textwrap.fill(text, width, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False)


async def _found(settings: Settings, app_id: str, url: str | None, *, post: bool) -> AsyncIterator[ConnectStep]:
    async for step in _token(settings, app_id):
        yield step
    public = (url or local_url(settings.ingress.listen, "")).removesuffix(WEBHOOK_PATH).rstrip("/")
    yield ConnectStep(
        step="webhook",
        state=_TODO if public.startswith("https://") else _MISSING,
        text=f"paste {public}{WEBHOOK_PATH} in Developer Hub > your app > Webhooks"
        + ("" if public.startswith("https://") else "; Intercom needs an https address that it can reach: name yours with --url"),
    )
    for subscription in SUBSCRIPTIONS:
        yield ConnectStep(
            step=f"topics for {subscription.purpose}", state=_TODO, text=f"subscribe to {', '.join(subscription.topics)}"
        )
    if post:
        yield await _post(settings, app_id, f"{public}{WEBHOOK_PATH}")


async def _token(settings: Settings, app_id: str) -> AsyncIterator[ConnectStep]:
    workspace = settings.tenancy.workspaces[app_id]
    if not workspace.access_token:
        yield ConnectStep(
            step="token",
            state=_FAILED,
            text=f"workspace {app_id} has no access_token: Developer Hub > your app > Configure > Authentication shows it; put "
            'access_token = "${INTERCOM_TOKEN}" under the workspace',
        )
        return
    async with rest_client(settings, app_id, attempts=_ATTEMPTS) as client:
        try:
            name = await client.check_workspace()
        except IntercomStreamsError as refusal:
            yield ConnectStep(step="token", state=_FAILED, text=str(refusal))
            return
        yield ConnectStep(step="token", state=_OK, text=f"it is that of {name or app_id}, in the region {workspace.region}")
        try:
            async for each in granted(client):
                state = _OK if each.problem is None else _FAILED if each.permission.needed else _MISSING
                yield ConnectStep(step=f"read {each.permission.name}", state=state, text=each.problem or each.permission.purpose)
        except MustStop as refusal:
            yield ConnectStep(step="token", state=_FAILED, text=str(refusal))


async def _post(settings: Settings, app_id: str, url: str) -> ConnectStep:
    app = settings.tenancy.apps.get(settings.tenancy.workspaces[app_id].app)
    if app is None:
        raise BadConfiguration(f"workspace {app_id} names no configured app")
    try:
        found = await asyncio.wait_for(follow_test_event(settings.kafka, app, app_id, url), timeout=60)
    except (IntercomStreamsError, TimeoutError) as problem:
        return ConnectStep(step="test post", state=_FAILED, text=str(problem) or "nothing arrived within a minute")
    if found.place is not None:
        return ConnectStep(step="test post", state=_OK, text=f"answered {found.result.status}, and it is on {found.place}")
    if found.result.accepted:
        return ConnectStep(
            step="test post",
            state=_FAILED,
            text="answered 200, and not on its topic after 15 seconds: it waits in the spool while Kafka is slow",
        )
    return ConnectStep(
        step="test post",
        state=_FAILED,
        text=f"answered {found.result.status}; with 401 the ingress there has another secret or workspace than this configuration",
    )
