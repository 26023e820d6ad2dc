"""Logs as one JSON object per line, without personal data by construction: only fields of the list below are shown.

The product's own code logs constant sentences with fields; a field not in `FIELDS` is withheld, and a test reads every call in
the source. Log records of libraries are shown from level warning on, with addresses removed and long texts cut. Errors are shown
with type and place, and with their text where they are the product's own: the text of another error may quote the value that
caused it.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

from schemas.errors import IntercomStreamsError

FIELDS: Final = frozenset({
    "agent", "app", "app_id", "attempt", "bytes", "cause", "check", "count", "endpoint", "error", "generation", "hint", "listen", "ms",
    "name", "offset", "offsets", "offsets_read", "partition", "partitions", "path", "pid", "port", "process", "reason", "rebuild", "records",
    "rows", "seconds", "signal", "spool", "spooled", "status", "store", "table", "tenant", "topic", "topics_missing", "url",
    "worker",
})  # fmt: skip
_LINE_FIELDS: Final = frozenset({"event", "level", "logger", "timestamp", "exception"})
_STRUCTLOG_FIELDS: Final = frozenset({"_record", "_from_structlog"})  # removed before the line is written
_ADDRESS: Final = re.compile(r"[^\s@<>\"',;:()\[\]]+@[^\s@<>\"',;:()\[\]]+")
_MAX_LENGTH: Final = 400
_FRAMES: Final = 8
_REPEAT_SECONDS: Final = 60.0  # clients log every second or two that a broker is away
_MAX_REMEMBERED: Final = 500  # log lines

Line = MutableMapping[str, Any]


def configure(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Write structlog's and the standard library's logs to `stream` (standard error). Call once, in the composition root."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper("iso"),
        redacted,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
        )
    )
    handler.addFilter(_LogFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # aiokafka logs a line per missing topic; the code that needs the topic raises an error of its own.
    logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)
    for package in ("streams", "connectors", "schemas"):
        logging.getLogger(package).setLevel(level)


class _LogFilter(logging.Filter):
    """Drop log records of libraries below warnings, also under the names of our modules, and repetitions within a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, dict):  # from structlog, which passes fields on
            return True
        if record.levelno < logging.WARNING:
            return False
        line = record.getMessage()
        if record.created - self._last.get(line, -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return False
        if len(self._last) >= _MAX_REMEMBERED:
            self._last.clear()
        self._last[line] = record.created
        return True


def redacted(logger: Any, method: str, line: Line) -> Line:
    """Withhold fields that are not listed, cut texts, and describe an error without the values it quotes."""
    record = line.get("_record")
    error = line.pop("exc_info", None) or (record.exc_info if record else None)
    shown = {name: value if name in _STRUCTLOG_FIELDS else _shown(name, value) for name, value in line.items()}
    return {**shown, "exception": _describe(error)} if error else shown


def _shown(name: str, value: Any) -> Any:
    if name not in FIELDS and name not in _LINE_FIELDS:
        return "withheld"
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_cut(str(each)) for each in value]
    return _cut(str(value))


def _cut(text: str) -> str:
    return _ADDRESS.sub("(address)", text)[:_MAX_LENGTH]


def _describe(error: Any) -> str:
    """Return type and place of an error; its text only where it is an error of the product."""
    raised = error if isinstance(error, BaseException) else error[1] if isinstance(error, tuple) else sys.exception()
    if raised is None:
        return "unknown"
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(raised.__traceback__)[-_FRAMES:]
    ]
    text = f": {_cut(str(raised))}" if isinstance(raised, IntercomStreamsError) else ""
    return f"{type(raised).__name__}{text} at {' > '.join(places)}"
