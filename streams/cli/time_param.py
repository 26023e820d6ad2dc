"""A time on the command line, which has to have its zone: an hour's error would select other records."""

from contextlib import suppress
from datetime import datetime

import click


class TimeParam(click.ParamType):
    """Take an ISO 8601 time with a zone; the value is in milliseconds since 1970."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        moment = None
        with suppress(ValueError):
            moment = datetime.fromisoformat(str(value))
        if moment is None or moment.tzinfo is None:
            self.fail(f"{value!r} is no time with its zone; write one like 2026-03-31T17:00:00Z", param, ctx)
        return int(moment.timestamp() * 1000)
