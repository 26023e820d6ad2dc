"""The machine and the versions behind a figure: without them two figures cannot be compared."""

import os
import platform
from importlib import metadata

import msgspec

_PACKAGES = ("aiokafka", "faust-streaming", "uvicorn", "uvloop", "msgspec", "confluent-kafka", "quixstreams", "bytewax")


class Machine(msgspec.Struct, frozen=True):
    """Cores this process may use, memory in GiB, system, interpreter and the packages that were measured.

    `load` is the load average before the run: on a busy machine the figures say little.
    """

    cores: int
    load: float
    memory_gib: float
    system: str
    python: str
    packages: dict[str, str]


def this_machine() -> Machine:
    """Describe the machine of this process."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 1),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: version for name in _PACKAGES if (version := _version(name))},
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
