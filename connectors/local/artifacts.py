"""Fetch the jars named in `artifacts.lock`, each checked against its SHA-256, into the user's cache.

The lock is the whole resolution (coordinates, sizes, sums, no address): nothing is resolved at run time, so a
second start reads no network, and a changed or damaged file is never executed. `relock.py` writes it.
"""

import errno
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from connectors.local.progress import Progress
from schemas.errors import MustStop, Unavailable

LOCK = Path(__file__).with_name("artifacts.lock")
_PARALLEL = 6  # small jars are bound by round trips, not by bandwidth
_ANSWER_S = 60  # a registry that is silent for so long is away
_ABANDONED_S = 86_400  # an unfinished download of a killed process


class Artifact(msgspec.Struct, frozen=True):
    """One locked file: which part of the stack wants it, its Maven coordinate, and what its bytes must be."""

    part: str
    group: str
    name: str
    version: str
    classifier: str
    packaging: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{suffix}.{self.packaging}"


def locked(part: str, lock: Path = LOCK) -> tuple[Artifact, ...]:
    """Read what one part of the stack ("kafka", "registry") consists of."""
    return tuple(artifact for artifact in _lines(lock) if artifact.part == part)


def fetch(artifacts: tuple[Artifact, ...], cache: Path, progress: Progress) -> tuple[Path, ...]:
    """Return the verified files, downloading what is missing or damaged.

    Raises `Unavailable` when no registry answers and `MustStop` for a wrong sum or a full disk; what is wrong is deleted.
    """
    folder = cache / "artifacts"
    with full_disk_said(folder):
        folder.mkdir(parents=True, exist_ok=True)
        missing = [artifact for artifact in artifacts if not _sound(folder / artifact.filename, artifact)]
        if missing:
            _sweep(cache)
            _download(missing, folder, cache, progress)
    return tuple(folder / artifact.filename for artifact in artifacts)


@contextmanager
def full_disk_said(place: Path) -> Iterator[None]:
    """Turn "no space left" into words a person can act on."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise MustStop(
            f"The disk that holds {place} is full. Free some space (the stack needs about 1 GB) and try again."
        ) from None


def _lines(lock: Path) -> Iterator[Artifact]:
    for line in lock.read_text().splitlines():
        if line and not line.startswith("#"):
            part, coordinate, sha256, size = line.split()
            group, name, version, classifier, packaging = coordinate.split(":")
            yield Artifact(part, group, name, version, classifier, packaging, sha256, int(size))


def _sound(file: Path, artifact: Artifact) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() == artifact.sha256:
            return True
    file.unlink(missing_ok=True)
    return False


def _download(missing: list[Artifact], folder: Path, cache: Path, progress: Progress) -> None:
    parts = ", ".join(sorted({artifact.part for artifact in missing}))
    arrived = progress.meter(f"Fetching {parts}", sum(artifact.size for artifact in missing))
    pool = ThreadPoolExecutor(_PARALLEL)
    with tempfile.TemporaryDirectory(prefix="incoming-", dir=cache, ignore_cleanup_errors=True) as incoming:
        resolve = _resolver(Path(incoming), arrived)
        try:
            for file, artifact in zip(pool.map(resolve, missing), missing, strict=True):
                _accept(file, artifact, folder)
        finally:
            pool.shutdown(cancel_futures=True)


def _accept(file: Path, artifact: Artifact, folder: Path) -> None:
    if not _sound(file, artifact):
        raise MustStop(
            f"{artifact.filename} arrived with another SHA-256 than {LOCK.name} says, so it was deleted and not used. "
            "A proxy or mirror may have changed it: try again, or use another network."
        )
    file.replace(folder / artifact.filename)


def _resolver(incoming: Path, arrived: Callable[[int], None]) -> Callable[[Artifact], Path]:
    # jgo and requests take 0.3 s to import and are needed for the first start only.
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    @contextmanager
    def progress_of_file(filename: str, total: int) -> Iterator[Callable[[int], None]]:
        yield arrived

    context: Any = MavenContext(
        resolver=PythonResolver(progress_callback=progress_of_file), repo_cache=incoming, local_repos=[], timeout=_ANSWER_S
    )

    def resolve(artifact: Artifact) -> Path:
        component = context.project(artifact.group, artifact.name).at_version(artifact.version)
        try:
            return Path(component.artifact(classifier=artifact.classifier, packaging=artifact.packaging).resolve())
        except (RequestException, RuntimeError) as error:
            raise Unavailable(
                f"Could not fetch {artifact.filename}: {_cause(error)}. The first start downloads the stack from the Maven "
                "registry; check the network and proxy settings (HTTPS_PROXY) and try again. Later starts need no network."
            ) from None

    return resolve


def _cause(error: Exception) -> str:
    if isinstance(error, RuntimeError):  # jgo: every repository it knows said no
        return "the Maven registry does not have it"
    return f"the Maven registry does not answer ({type(error).__name__})"


def _sweep(cache: Path) -> None:
    oldest = time.time() - _ABANDONED_S
    for left in cache.glob("incoming-*"):
        if left.stat().st_mtime < oldest:
            for file in sorted(left.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink(missing_ok=True)
            left.rmdir()
