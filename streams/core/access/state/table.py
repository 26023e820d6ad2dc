"""One tenant's part of the table: a group, whose items are told apart by how they begin."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

from schemas.errors import MustStop
from streams.core.access.state.rows import AnyRow

R = TypeVar("R")


class Rows(Protocol):
    """What is needed of a table; `streams.engine.agent.Table` satisfies it."""

    def get(self, group: str, item: str = "") -> AnyRow | None: ...
    def put(self, group: str, item: str, value: AnyRow) -> None: ...
    def delete(self, group: str, item: str = "") -> None: ...
    def walk(self, group: str, after: str = "") -> Iterator[tuple[str, AnyRow]]: ...


class TenantRows:
    """Rows by item, each of the kind that belongs there."""

    def __init__(self, rows: Rows, tenant: str) -> None:
        self._rows = rows
        self.tenant = tenant

    def _get(self, item: str, kind: type[R]) -> R | None:
        row = self._rows.get(self.tenant, item)
        if row is not None and not isinstance(row, kind):
            raise MustStop(
                f"the access table holds a {type(row).__name__} where a {kind.__name__} belongs: it is damaged; rebuild it"
            )
        return row

    def _walk(self, prefix: str, kind: type[R], after: str = "") -> Iterator[tuple[str, R]]:
        for item, row in self._rows.walk(self.tenant, prefix + after):
            if not item.startswith(prefix):
                return
            if isinstance(row, kind):
                yield item, row

    def _put(self, item: str, row: AnyRow) -> None:
        self._rows.put(self.tenant, item, row)

    def _delete(self, item: str) -> None:
        self._rows.delete(self.tenant, item)
