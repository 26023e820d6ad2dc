"""Ctrl-C and SIGTERM for commands that pause between two steps, and continue from Kafka whatever ended them."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

PAUSED: Final = 130
"""The exit code of a command that was paused: it has not done all that it was to do."""

_NOTICE: Final = b"pausing; Ctrl-C once more ends at once, as a kill does: nothing is lost, and it can be continued\n"


@contextmanager
def pause_on_signal() -> Iterator[Callable[[], bool]]:
    """Yield whether to pause. A second signal ends the process: a step, and its clients' farewell, may wait for brokers that do not answer."""
    asked = False

    def pause(*_: object) -> None:
        nonlocal asked
        if asked:
            os._exit(PAUSED)
        asked = True
        if sys.__stderr__ is not None:
            os.write(sys.__stderr__.fileno(), _NOTICE)  # a handler may not use what it interrupts

    handlers = {number: signal.signal(number, pause) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
