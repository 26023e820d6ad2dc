"""`send FILE…`: post files as Intercom would, to try out an installation by hand."""

import sys
from pathlib import Path

import click
import httpx

from connectors.intercom.ingress.endpoint import CALLBACK_PATH, WEBHOOK_PATH
from connectors.simulator.post import PostResult, app_of, callback_headers, post, webhook_headers
from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from schemas.tenancy import Secret, Tenancy
from streams.cli.options import config_option, json_option, settings_of
from streams.settings.urls import local_url

_STATUS_TEXTS = {
    200: "accepted",
    401: "refused: no live secret of the ingress made this signature, or the workspace is configured under another app",
    404: "refused: the ingress has no such path",
    413: "refused: too large",
    429: "refused: above the configured ceiling",
    503: "not kept: neither Kafka nor the spool could take it",
}


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE..."
)
@click.option("--url", help=f"Where to post. Default: http:// + [ingress] listen + {WEBHOOK_PATH}.")
@click.option("--secret", help="Client secret to sign with. Default: the one of the app the body's workspace belongs to.")
@click.option("--app", "app", help="Sign as this configured app.")
@click.option(
    "--callback", is_flag=True, help="Sign as a health check or uninstall (X-Body-Signature, SHA-256), on the path for these."
)
@json_option
@config_option
@click.pass_context
def send(
    ctx: click.Context,
    *,
    files: tuple[str, ...],
    url: str | None,
    secret: str | None,
    app: str | None,
    callback: bool,
    as_json: bool,
) -> None:
    """Sign each FILE's exact bytes and post them, one after the other; `-` reads standard input.

    Prints status and milliseconds of each answer. Exit code 1 if any is not 200.
    """
    headers_of, path = (callback_headers, CALLBACK_PATH) if callback else (webhook_headers, WEBHOOK_PATH)
    settings = None if url and secret else settings_of(ctx)
    target = url or local_url(settings.ingress.listen if settings else "", path)
    refused = 0
    with httpx.Client() as client:
        for name in files:
            body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            client_secret = Secret(secret) if secret else _secret(body, app, settings.tenancy if settings else Tenancy.of((), ()))
            result = post(client, target, body, headers_of(body, client_secret))
            refused += not result.accepted
            click.echo(_line(name, result, as_json=as_json))
    if refused:
        ctx.exit(1)


def _secret(body: bytes, name: str | None, tenancy: Tenancy) -> Secret:
    app = tenancy.apps.get(name) if name else app_of(body, tenancy)
    if app is None:
        raise BadConfiguration(f"No [[apps]] has the name {name!r}. Known: {', '.join(sorted(tenancy.apps))}.")
    return app.client_secrets[0]


def _line(name: str, result: PostResult, *, as_json: bool) -> str:
    if as_json:
        return json_line({"file": name, "status": result.status, "ms": round(result.ms, 1)}).decode()
    return f"{result.status}  {result.ms:7.1f} ms  {name}  {_STATUS_TEXTS.get(result.status, '')}"
