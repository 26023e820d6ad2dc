"""Run one side once: `python -m bench.recovery SIDE JOB` prints the result as JSON."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from bench.recovery import ours, stock
from bench.recovery.job import Job

_SIDES: MappingProxyType[str, Callable[[Job], Coroutine[Any, Any, object]]] = MappingProxyType({
    "fill": ours.fill,
    "recovery_ours": ours.restore,
    "recovery_ours_on_disk": partial(ours.restore, on_disk=True),
    "recovery_stock": stock.restore,
})  # fmt: skip


async def _main(side: str, job: Job) -> None:
    print(msgspec.json.encode(await _SIDES[side](job)).decode(), flush=True)
    os._exit(0)  # stock Faust is still at work; its tasks and threads would continue


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], msgspec.json.decode(sys.argv[2], type=Job)))
