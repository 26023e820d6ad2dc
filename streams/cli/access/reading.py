"""The bar that shows on a terminal how far a long log has been read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that takes how much is done, of how much; nothing is shown where standard error is no terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
