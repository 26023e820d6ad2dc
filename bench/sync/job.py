"""What a reader gets, and what it reports."""

import time

import msgspec

from bench.memory import own_peak_mib

APP_ID = "bench123"
TOKEN = "simulated-token"


class ReadingJob(msgspec.Struct, frozen=True):
    """Where Intercom is, and where Kafka and the topics are."""

    url: str
    bootstrap: str = ""
    prefix: str = ""


class ReadingResult(msgspec.Struct, frozen=True):
    """How many contacts were read in how many seconds, with which CPU seconds and greatest memory of the process."""

    contacts: int
    seconds: float
    cpu_s: float
    memory_mib: float


class Stopwatch:
    """Begins where it is made: what a process did before, such as imports, does not count."""

    def __init__(self) -> None:
        self._began, self._cpu_s = time.perf_counter(), time.process_time()

    def result(self, contacts: int) -> ReadingResult:
        """Return the result of a reading that ends now."""
        return ReadingResult(contacts, time.perf_counter() - self._began, time.process_time() - self._cpu_s, own_peak_mib())
