"""`init`: write a configuration to begin with."""

import os
from pathlib import Path

import click

from schemas.errors import BadConfiguration
from streams.settings import DEFAULT_FILE, ENVIRONMENT_FILE
from streams.settings.example import example


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def init(*, file: Path | None) -> None:
    """Write a configuration to FILE, each key with its default and a word about it. A file that exists is left as it is.

    Without FILE it is where the other commands look: what INTERCOM_STREAMS_CONFIG names, else intercom-streams.toml in this folder.
    """
    path = file or Path(os.environ.get(ENVIRONMENT_FILE) or DEFAULT_FILE)
    try:
        _write(path, example())
    except FileExistsError:
        raise BadConfiguration(
            f"{path} exists already, and was left as it is. Name another file, or move that one away"
        ) from None
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be written: {error.strerror or error}") from None
    click.echo(f"wrote {path}")
    click.echo(
        "next: set app_id to your workspace's, and put INTERCOM_CLIENT_SECRET into the environment (Developer Hub > your app > Basic"
    )
    click.echo("information); then `intercom-streams doctor` says what is missing")


def _write(path: Path, text: str) -> None:
    """Write a new file whole, or leave none: half of one would be taken for a configuration."""
    with path.open("x", encoding="utf-8") as new:
        try:
            new.write(text)
            new.flush()
        except OSError:
            path.unlink()
            raise
