"""The log time of a record: when the broker took the fact that it follows from."""

from datetime import datetime
from functools import lru_cache

from schemas.message import Message, header


def log_time_of(record: Message) -> int:
    """Return the log time (ms) in the headers of a finding, an answer or an entry; 0 where they have none that can be read."""
    text = header(record.headers, "ce_recordedtime")
    return 0 if text is None else _milliseconds(text)


@lru_cache(maxsize=1024)  # what follows from one fact has one log time
def _milliseconds(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return 0
