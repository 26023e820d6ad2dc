"""Prism, Stoplight's mock server of OpenAPI descriptions: it judges requests by its own reading of a description, and answers with its examples.

Its 213 packages are those of the lock file beside this, installed once into the user's cache; none of their scripts is run.
"""

import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from connectors.local.paths import cache_home
from connectors.local.ports import free
from tests.patience import DEADLINE_S

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json")
_INSTALL_S = 600
_PROGRAM = Path("node_modules/@stoplight/prism-cli/dist/index.js")


def prism() -> Path:
    """Return the program, installed where it is not yet. A machine without Node.js or npm skips the test."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Prism needs Node.js 20 and npm")
    lock = hashlib.sha256((_HERE / "package-lock.json").read_bytes()).hexdigest()
    kept = cache_home() / f"prism-{lock[:12]}"
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as made:
            folder = Path(made) / "prism"
            folder.mkdir()
            for name in _FILES:
                shutil.copy(_HERE / name, folder)
            words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(words, check=True, capture_output=True, cwd=folder, timeout=_INSTALL_S)
            with suppress(OSError):  # somebody else was faster
                folder.rename(kept)
    return kept / _PROGRAM


@contextmanager
def mocked(description: Path, folder: Path) -> Iterator[str]:
    """Serve a description until the end of the block: a request that it does not allow gets an error. Yield the URL."""
    port, log = free(set()), folder / "prism.log"
    words = ["node", str(prism()), "mock", str(description), "--port", str(port), "--errors"]
    with log.open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + DEADLINE_S
        while not _answers(url):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _answers(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.TransportError:
        return False
    return True
