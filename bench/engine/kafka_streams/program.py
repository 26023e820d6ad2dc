"""Compiles the Java program once per change of it, and says how it is started."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench.engine.job import Job
from connectors.local.download.artifacts import fetch
from connectors.local.download.lockfile import locked
from connectors.local.paths import cache_home
from connectors.local.progress import ProgressLines
from connectors.local.servers import java
from schemas.errors import MustStop

PART = "kafka-streams"
LOCK = Path(__file__).with_name("streams.lock")
_SOURCE = Path(__file__).with_name("Counts.java")
_CLASS = "Counts"
_JAVA = 17
_COMPILE_S = 120
_HEAP = ("-Xms128m", "-Xmx1g")


@cache  # it starts a JVM
def jdk() -> Path | None:
    """Return the folder of programs of a JDK that is new enough: in JAVA_HOME, else in PATH; None where there is none."""
    return next((folder for folder in _folders() if (java.major(folder / "java") or 0) >= _JAVA), None)


def _folders() -> Iterator[Path]:
    home, in_path = os.environ.get("JAVA_HOME"), shutil.which("javac")
    for folder in (Path(home) / "bin" if home else None, Path(in_path).resolve().parent if in_path else None):
        if folder is not None and (folder / "javac").is_file() and (folder / "java").is_file():
            yield folder


def compiled() -> Path:
    """Return the folder with the classes, compiling them where the program or a jar is new."""
    source = _SOURCE.read_bytes()
    mark = hashlib.sha256(source + LOCK.read_bytes()).hexdigest()[:16]
    folder = cache_home() / PART / mark
    if not (folder / f"{_CLASS}.class").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        command = [str(_required_jdk() / "javac"), "--release", str(_JAVA), "-cp", _jars(), "-d", str(folder), str(_SOURCE)]
        done = subprocess.run(command, capture_output=True, timeout=_COMPILE_S, check=False)
        if done.returncode:
            raise MustStop(f"{_SOURCE.name} does not compile:\n{done.stderr.decode(errors='replace')[-2000:]}")
    return folder


def command(job: Job, store: str) -> list[str]:
    """Return the command that does a job until it is stopped, with its table in "memory" or in "rocksdb"."""
    path = os.pathsep.join([str(compiled()), _jars()])
    arguments = (job.bootstrap, job.group, job.source, job.output, job.directory, store)
    return [str(_required_jdk() / "java"), *_HEAP, "-cp", path, _CLASS, *arguments]


def _jars() -> str:
    return os.pathsep.join(str(jar) for jar in fetch(locked(PART, LOCK), cache_home(), ProgressLines(sys.stderr)))


def _required_jdk() -> Path:
    found = jdk()
    if found is None:
        raise MustStop(f"no JDK {_JAVA} or newer was found: put its programs in PATH, or set JAVA_HOME")
    return found
