"""An earlier commit of the product, exported beside this checkout with an environment of its own, made from its own lock file.

It is exported, not checked out: nothing of it stays in Git. Where the history ends before the commit, or its packages cannot be
had, the result is None and the caller reports that it was left out.
"""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from schemas.errors import Unavailable

COMMIT = "969821a"
_ROOT = Path(__file__).resolve().parent.parent
_FOLDER = _ROOT / ".bench"
_DONE = ".exported"
_ENVIRONMENT_S = 600  # for a first installation over a slow network


class EarlierProduct(msgspec.Struct, frozen=True):
    """The product as it was at a commit: its folder with an environment."""

    folder: Path

    @property
    def program(self) -> Sequence[str]:
        """Return its command line without arguments."""
        return (str(self.folder / ".venv" / "bin" / "intercom-streams"),)


def earlier_product(commit: str = COMMIT) -> EarlierProduct | None:
    """Return the product at that commit, exporting it and making its environment at the first call; None where neither can be had."""
    product = EarlierProduct(_FOLDER / commit)
    try:
        if not (product.folder / _DONE).exists():
            _export(commit, product.folder)
        _make_environment(product)
    except (Unavailable, OSError) as error:
        print(f"commit {commit} is left out: {error}", file=sys.stderr)
        return None
    return product


def _export(commit: str, folder: Path) -> None:
    print(f"exporting commit {commit} (once)", file=sys.stderr, flush=True)
    archive = subprocess.run(["git", "archive", "--format=tar", commit], cwd=_ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise Unavailable(f"this checkout does not have it ({archive.stderr.decode(errors='replace').strip()})")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    (folder / _DONE).touch()


def _make_environment(product: EarlierProduct) -> None:
    """Let the commit's own script make its environment; it does nothing where there is one already."""
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    try:
        made = subprocess.run(
            ["sh", "scripts/demo", "--help"],
            cwd=product.folder,
            env=environment,
            capture_output=True,
            timeout=_ENVIRONMENT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"its environment was not made within {_ENVIRONMENT_S} s") from error
    if made.returncode:
        raise Unavailable(f"its environment could not be made: {made.stderr.decode(errors='replace')[-500:]}")
