"""A list that somebody fetched from Intercom and feeds from a file or from standard input."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from schemas.errors import InvalidRecord
from streams.cli.time_param import TimeParam

Verb = Callable[..., Any]

_CLOCKS_DIFFER_MS: Final = 120_000  # clocks of two machines may differ by as much


class IntercomList(msgspec.Struct, frozen=True, kw_only=True):
    """What Intercom answered, when it was asked (ms), and what messages call the source."""

    body: bytes
    requested: int
    name: str

    def __repr__(self) -> str:
        return "IntercomList(***)"


def intercom_list_options(function: Verb) -> Verb:
    """Add the argument FILE and the option `--requested`; the function gets `file` and `requested` and calls `read_intercom_list`."""
    requested = click.option(
        "--requested",
        type=TimeParam(),
        help="When Intercom was asked. Default: when FILE was last changed; now for standard input.",
    )
    file = click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
    verb: Verb = file(requested(function))
    return verb


def read_intercom_list(file: Path, requested: int | None) -> IntercomList:
    """Read the list. Raises `InvalidRecord` for a file that cannot be read and `click.BadParameter` for a request that is still to come."""
    now = time.time_ns() // 1_000_000
    if requested is not None and requested > now + _CLOCKS_DIFFER_MS:
        raise click.BadParameter(
            "is still to come, and a list overrules what happened before its request", param_hint="--requested"
        )
    if file == Path("-"):
        body, written, name = sys.stdin.buffer.read(), now, "standard input"
    else:
        try:
            body, written, name = file.read_bytes(), file.stat().st_mtime_ns // 1_000_000, file.name
        except OSError as error:
            raise InvalidRecord(f"{file.name} cannot be read: {error.strerror}. Is it there, and may it be read?") from None
    return IntercomList(body=body, requested=written if requested is None else requested, name=name)
