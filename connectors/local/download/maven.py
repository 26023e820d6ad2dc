"""Downloads artifacts from the Maven registry through jgo, which knows its address."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.local.download.lockfile import Artifact
from schemas.errors import Unavailable

_TIMEOUT_S = 60  # a registry that does not answer for this long counts as away


def from_maven(incoming: Path, on_bytes: Callable[[int], None]) -> Callable[[Artifact], Path]:
    """Return a function that downloads one artifact into `incoming`; it raises `Unavailable` if no registry answers."""
    # jgo and requests take 0.3 s to import and are needed for the first start only.
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    @contextmanager
    def progress_of_file(filename: str, total: int) -> Iterator[Callable[[int], None]]:
        yield on_bytes

    context: Any = MavenContext(
        resolver=PythonResolver(progress_callback=progress_of_file), repo_cache=incoming, local_repos=[], timeout=_TIMEOUT_S
    )

    def download(artifact: Artifact) -> Path:
        component = context.project(artifact.group, artifact.name).at_version(artifact.version)
        try:
            return Path(component.artifact(classifier=artifact.classifier, packaging=artifact.packaging).resolve())
        except (RequestException, RuntimeError) as error:
            raise Unavailable(
                f"Could not fetch {artifact.filename}: {_cause(error)}. The first start downloads the stack from the Maven "
                "registry; check the network and proxy settings (HTTPS_PROXY) and try again. Later starts need no network."
            ) from None

    return download


def _cause(error: Exception) -> str:
    if isinstance(error, RuntimeError):  # jgo raises it when no repository has the artifact
        return "the Maven registry does not have it"
    return f"the Maven registry does not answer ({type(error).__name__})"
