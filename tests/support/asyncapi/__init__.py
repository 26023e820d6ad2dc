"""AsyncAPI's own parser, as its authors bundle it for browsers: one file without dependencies, fetched from npm once and checked by its hash."""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from connectors.local.paths import cache_home

PACKAGE, VERSION = "@asyncapi/parser", "3.6.6"
SHA256 = "46352c768e39d323525350d3154fb40f5107d21634453bf6dc6631708fcfee33"  # of the package's archive
BUNDLE = "package/browser/index.js"
SCRIPT = Path(__file__).with_name("parse.cjs")
LIMIT_S = 120


def parser() -> Path:
    """Return the bundle, from the user's cache where it is there. A machine without Node.js or npm skips the test."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("AsyncAPI's parser needs Node.js and npm")
    kept = cache_home() / f"asyncapi-parser-{VERSION}-{SHA256[:12]}.js"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            _fetch(Path(folder)).replace(kept)
    return kept


def _fetch(folder: Path) -> Path:
    words = ["npm", "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    subprocess.run(words, check=True, capture_output=True, cwd=folder, timeout=LIMIT_S)
    (archive,) = folder.glob("*.tgz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256, "npm sent another archive than the one that was looked at"
    with tarfile.open(archive) as opened, opened.extractfile(BUNDLE) as bundle:
        (folder / "index.js").write_bytes(bundle.read())
    return folder / "index.js"


def diagnostics(*documents: Path) -> list[list[dict]]:
    """Return what the parser says of each document: `severity` (0 error, 1 warning, 2 information, 3 hint), `code`, `message`, `path`."""
    words = ["node", str(SCRIPT), str(parser()), *map(str, documents)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
