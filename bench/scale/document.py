"""Writes the table of docs/sizing.md from the formula: `python -m bench.scale.document`."""

import re
import sys
from pathlib import Path
from typing import Final

from bench.scale.formula import Size, size

FILE: Final = Path(__file__).parents[2] / "docs" / "sizing.md"
_CONTACTS: Final = (10_000, 1_000_000, 100_000_000)
_EVENTS: Final = (10, 100, 1_000, 10_000)
_BETWEEN: Final = re.compile(r"(?<=<!-- begin sizes -->\n).*?(?=<!-- end sizes -->)", re.DOTALL)
_HEAD: Final = (
    "| contacts | events/s | partitions | workers | GiB of memory a worker | GiB of tables on its disk | ingresses | Kafka's GiB, three copies "
    "| brokers' cores in all | brokers' MB/s written |\n|---|---|---|---|---|---|---|---|---|---|\n"
)


def document(text: str) -> str:
    """Return the page with the present table in it."""
    rows = "".join(_row(contacts, events, size(contacts, events)) for contacts in _CONTACTS for events in _EVENTS)
    return _BETWEEN.sub(lambda _: _HEAD + rows, text)


def _row(contacts: int, events: int, need: Size) -> str:
    tables = f"{need.tables_gib:,.0f}" if need.on_disk else "in memory"
    cells = (
        f"{contacts:,}", f"{events:,}", f"{need.partitions}", f"{need.workers}", f"{need.memory_gib:.1f}", tables, f"{need.ingresses}",
        f"{need.kafka_gib:,.0f}", f"{need.broker_cores:.1f}", f"{need.broker_mb_s:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    FILE.write_text(document(FILE.read_text()))
    sys.stdout.write(f"{FILE.name} is up to date\n")
