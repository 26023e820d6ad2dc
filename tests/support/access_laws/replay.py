"""The law of replay: the same facts give the same bytes, however they are batched, and whatever ticks there are among them.

Byte for byte as they are sent: violations, the same as JSON, the rows of `access.state` and the ledger. With other ticks the ledger has other
entries, so it is compared by the findings that followed from all facts together; and two headers name the fact that let time move, which may be
a tick.
"""

import random
from collections import Counter, deque
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from schemas.message import RecordValue
from streams.engine.in_memory import SentRecord
from tests.support.access_laws.beginnings import BETWEEN, Beginnings
from tests.support.access_laws.grants import other_ticks, tick, without_ticks
from tests.support.access_laws.product import encoded
from tests.support.access_oracle.log import Entry
from tests.support.company import AVRO, Company

FINDINGS: Final = ("access.violations", "access.violations.json")
LEDGER: Final = "access.ledger"
STATE: Final = "access.state"
OF_THE_FACT: Final = ("ce_causationid", "ce_recordedtime")  # headers that name the fact that let time move, and its log time
Bytes = tuple[str, bytes | None, bytes | None, object]  # topic, key, value, headers


def replay_gives_the_same_bytes(history: Sequence[Entry], draw: random.Random, begun: Beginnings | None = None) -> list[str]:
    """Process a history again in other batches, without its ticks, and with others; return where the bytes differ.

    What a history with other ticks begins with, as far as the first of them, is not processed again. `begun` has walked over this history.
    """
    if begun is None:
        begun = Beginnings(history)
        deque(begun.walk(), maxlen=0)
    times = list(accumulate((entry["log_time"] for entry in history), max))  # so that a tick taken away takes no time away
    placed = [{**entry, "offset": BETWEEN * n} for n, entry in enumerate(history)]
    history = [{**entry, "log_time": times[n]} for n, entry in enumerate(placed)]
    last = times[-1]
    end = {**tick(history, last, "last"), "offset": BETWEEN * len(history)}
    once = _continued([*placed, end], draw, begun)
    again = _sent(Company(), [*placed, end], draw)
    broken = [f"in other batches {topic} differs" for topic in (*FINDINGS, LEDGER) if _of(topic, once) != _of(topic, again)]
    if _table(once) != _table(again):
        broken.append(f"in other batches {STATE} differs")
    for name, changed in (("without ticks", without_ticks(history)), ("with other ticks", _placed(other_ticks(history, draw)))):
        if changed == history:
            continue  # there is no tick: the same history in other batches is asked above
        other = _continued([*changed, end], draw, begun)
        broken += [f"{name} {topic} differs" for topic in FINDINGS if _caused(topic, once) != _caused(topic, other)]
        if _table(once) != _table(other):
            broken.append(f"{name} {STATE} differs")
        if _outputs(once) != _outputs(other):
            broken.append(f"{name} {LEDGER} has other outputs")
    return broken


def _placed(history: Sequence[Entry]) -> list[Entry]:
    """Return the history in which each tick that was added has an offset of its own, behind the fact before it."""
    placed: list[Entry] = []
    for entry in history:
        offset = entry["offset"] if entry["offset"] is not None else placed[-1]["offset"] + 1
        placed.append({**entry, "offset": offset})
    return placed


def _continued(history: Sequence[Entry], draw: random.Random, begun: Beginnings) -> list[SentRecord]:
    shared, company = begun.begun(history)
    return _sent(company, history[shared:], draw)


def _sent(company: Company, history: Sequence[Entry], draw: random.Random) -> list[SentRecord]:
    records = [RecordValue(*encoded(entry["fact"]), (), entry["offset"], entry["log_time"]) for entry in history]
    while records:
        count = draw.choice((1, 2, 3, 8))
        company.process(records[:count])
        records = records[count:]
    return company.sent


def _of(topic: str, sent: Sequence[SentRecord]) -> list[Bytes]:
    return [(topic, record.key, record.value, record.headers) for record in sent if record.topic == topic]


def _caused(topic: str, sent: Sequence[SentRecord]) -> list[Bytes]:
    return [(*bytes_, [pair for pair in headers if pair[0] not in OF_THE_FACT]) for *bytes_, headers in _of(topic, sent)]


def _table(sent: Sequence[SentRecord]) -> dict[bytes | None, bytes]:
    """Return `access.state` as a compacted reader has it."""
    rows = {record.key: record.value for record in sent if record.topic == STATE}
    return {key: value for key, value in rows.items() if value is not None}


def _outputs(sent: Sequence[SentRecord]) -> Counter[tuple[str, str, str]]:
    entries = [AVRO.decode(record.value or b"")[1] for record in sent if record.topic == LEDGER]
    outputs = [output for entry in entries for output in entry["outputs"] if output["topic"] in FINDINGS]
    return Counter((output["topic"], output["id"], output["sha256"]) for output in outputs)
