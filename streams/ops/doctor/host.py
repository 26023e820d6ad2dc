"""The host: what waits in the spool, what is damaged, and whether disks have room."""

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from connectors.spool.claims import damaged_files
from streams.ops.doctor.finding import Findings, Patient, ok, problem, warning
from streams.settings import IngressSettings

_LITTLE_SHARE: Final = 0.10
_LITTLE_BYTES: Final = 1 << 30


async def spool(patient: Patient) -> Findings:
    """Examine the ingress' spool folder on this host."""
    return await asyncio.to_thread(_spool, patient.settings.ingress)


def _spool(ingress: IngressSettings) -> Findings:
    folder = Path(ingress.spool)
    if not folder.exists():
        return [ok("there is no spool folder on this host: no ingress has run here")]
    if not os.access(folder, os.W_OK):
        return [problem(f"the spool folder {folder} is not writable", "make it writable for the user that runs the ingress")]
    found = []
    size = sum(path.stat().st_size for path in folder.glob("*.spool*") if not path.name.endswith(".lock"))
    waiting = sum(_waiting(path) for path in folder.glob("*.spool"))
    if size > ingress.spool_max_bytes // 2:
        text = f"the spool is {size * 100 // ingress.spool_max_bytes} % full: posts are answered 503 when it is full"
        found.append(problem(text, "bring Kafka back, or make ingress.spool_max_bytes larger"))
    elif waiting:
        found.append(warning(f"{waiting} groups of posts wait in the spool", "they drain as soon as Kafka and an ingress are up"))
    if damaged := damaged_files(folder):
        names = ", ".join(path.name for path in damaged)
        found.append(
            problem(f"damaged spool files were set aside: {names}", "keep them, and report it: posts in them are not lost")
        )
    return found or [ok("the spool is empty")]


async def disks(patient: Patient) -> Findings:
    """Examine the room on the disks that this host's processes write to."""
    folders = {"spool": patient.settings.ingress.spool, "state_dir": patient.settings.worker.state_dir}
    found = []
    for key, folder in folders.items():
        existing = _existing(folder)
        if existing is None:
            continue
        usage = shutil.disk_usage(existing)
        if usage.free < _LITTLE_BYTES or usage.free < usage.total * _LITTLE_SHARE:
            text = f"the disk of {key} has {usage.free >> 20:,} MiB left ({usage.free * 100 // usage.total} %)"
            found.append(problem(text, "make room: a full disk stops the spool and tables on disk"))
    return found or [ok("disks have room")]


def _existing(folder: str) -> Path | None:
    path = Path(folder).absolute() if folder else None
    while path is not None and not path.exists():
        path = path.parent
    return path


def _waiting(path: Path) -> int:
    """Count the groups in a spool file, 0 where it cannot be read: `damaged` is found by the ingress itself."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as connection:
            return int(connection.execute("select count(*) from waiting").fetchone()[0])
    except sqlite3.Error:
        return 0
