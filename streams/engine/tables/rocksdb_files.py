"""Read a table's files without opening them for writing: a worker may have them open."""

from collections.abc import Iterator
from pathlib import Path

from rocksdict import AccessType, Options, Rdict

from schemas.errors import StoreFailed


def rows_on_disk(folder: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the rows that a partition's files have. Raises StoreFailed where they cannot be read."""
    try:
        rows = Rdict(str(folder), Options(raw_mode=True), access_type=AccessType.read_only())
        try:
            yield from rows.items()
        finally:
            rows.close()
    except Exception as error:
        raise StoreFailed(
            f"the table in {folder} cannot be read: {str(error)[:200]}. Its worker rewrites or restores it."
        ) from error
