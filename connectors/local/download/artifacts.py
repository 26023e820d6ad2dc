"""Downloads locked files into the user's cache and checks each against its SHA-256 before use.

A second start needs no network, and a changed or damaged file is deleted, never executed.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from connectors.local.disk_errors import explain_disk_errors
from connectors.local.download.lockfile import LOCK, Artifact
from connectors.local.download.maven import from_maven
from connectors.local.progress import ProgressReporter
from schemas.errors import Unavailable

ArtifactSource = Callable[[Path, Callable[[int], None]], Callable[[Artifact], Path]]
"""Takes a folder for incoming files and a callback for the bytes that arrive; returns the function that downloads an artifact."""

_ABANDONED_S = 86_400  # an unfinished download this old belongs to a process that was killed


def fetch(
    artifacts: tuple[Artifact, ...], cache: Path, progress: ProgressReporter, source: ArtifactSource = from_maven
) -> tuple[Path, ...]:
    """Return the verified files, downloading what is missing or damaged.

    Raises `Unavailable` if no registry answers, a sum is wrong (the file is deleted) or the disk is full.
    """
    folder = cache / "artifacts"
    with explain_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        missing = [artifact for artifact in artifacts if not _is_verified(folder / artifact.filename, artifact)]
        if missing:
            _delete_abandoned(cache)
            _download(missing, folder, progress, source)
    return tuple(folder / artifact.filename for artifact in artifacts)


def _is_verified(file: Path, artifact: Artifact) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() == artifact.sha256:
            return True
    file.unlink(missing_ok=True)
    return False


def _download(missing: list[Artifact], folder: Path, progress: ProgressReporter, source: ArtifactSource) -> None:
    parts = ", ".join(sorted({artifact.part for artifact in missing}))
    on_bytes = progress.meter(f"Fetching {parts}", sum(artifact.size for artifact in missing))
    with tempfile.TemporaryDirectory(prefix="incoming-", dir=folder.parent, ignore_cleanup_errors=True) as incoming:
        download = source(Path(incoming), on_bytes)
        # One at a time: jgo resolves its host again for each file, and a DNS resolver that drops parallel queries costs 5 s each
        # time (measured: 3 s one by one, 7 to 12 s with six threads).
        for artifact in missing:
            _accept(download(artifact), artifact, folder)


def _accept(file: Path, artifact: Artifact, folder: Path) -> None:
    if not _is_verified(file, artifact):
        raise Unavailable(
            f"{artifact.filename} arrived with another SHA-256 than {LOCK.name} says, so it was deleted and not used. "
            "A proxy or mirror may have changed it: try again, or use another network."
        )
    file.replace(folder / artifact.filename)


def _delete_abandoned(cache: Path) -> None:
    oldest = time.time() - _ABANDONED_S
    for folder in cache.glob("incoming-*"):
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
