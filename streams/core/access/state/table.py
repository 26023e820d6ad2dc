"""Typed access to a table: rows of one kind under items that begin alike. A tenant's rows are one group of the table."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from schemas.errors import MustStop
from streams.core.access.state.row_kinds.row import Row
from streams.core.access.state.rows import AnyRow
from streams.core.access.state.values import Key

R = TypeVar("R", bound=Row)


class AccessTable(Protocol):
    """What is needed of a table; `streams.engine.agent.Table` satisfies it."""

    def get(self, group: str, item: str = "") -> AnyRow | None: ...
    def put(self, group: str, item: str, value: AnyRow) -> None: ...
    def delete(self, group: str, item: str = "") -> None: ...
    def walk(self, group: str, after: str = "") -> Iterator[tuple[str, AnyRow]]: ...
    def items(self, group: str, after: str = "") -> Iterator[str]: ...


def typed(row: AnyRow | None, kind: type[R]) -> R | None:
    """Return a row as the kind that belongs at its item. Raises MustStop for another kind."""
    if row is not None and not isinstance(row, kind):
        raise MustStop(
            f"the access table holds a {type(row).__name__} where a {kind.__name__} belongs: it is damaged; rebuild it"
        )
    return row


class SingleRow(Generic[R]):
    """The one row of its kind in a group. It is read once, as nobody else writes it while a step runs: every fact needs it."""

    def __init__(self, table: AccessTable, group: str, item: str, kind: type[R]) -> None:
        self._table, self._group, self._item, self._kind = table, group, item, kind
        self._row: R | None = None
        self._is_read = False

    def get(self) -> R | None:
        if not self._is_read:
            self._row, self._is_read = typed(self._table.get(self._group, self._item), self._kind), True
        return self._row

    def put(self, row: R) -> None:
        self._table.put(self._group, self._item, row)  # type: ignore[arg-type]  # every kind of row is in AnyRow
        self._row, self._is_read = row, True

    def delete(self) -> None:
        self._table.delete(self._group, self._item)
        self._row, self._is_read = None, True


class RowCollection(Generic[R]):
    """Rows of one kind by key, under the items `prefix|part|part…`. Only the last part of a key may contain a bar."""

    def __init__(self, table: AccessTable, group: str, prefix: str, kind: type[R]) -> None:
        self._table, self._group, self._prefix, self._kind = table, group, prefix, kind

    def get(self, *key: str) -> R | None:
        row = self._table.get(self._group, "|".join((self._prefix, *key)))  # nothing is called more often: no further calls
        return row if row is None or isinstance(row, self._kind) else typed(row, self._kind)

    def put(self, row: R, *key: str) -> None:
        self._table.put(self._group, self._item(key), row)  # type: ignore[arg-type]  # every kind of row is in AnyRow

    def delete(self, *key: str) -> None:
        self._table.delete(self._group, self._item(key))

    def walk(self, *parent: str, after: str = "") -> Iterator[tuple[str, R]]:
        """Yield the rows whose keys begin with `parent`, in order, each with the rest of its key; only those beyond that rest."""
        prefix = self._item((*parent, ""))
        for item, row in self._table.walk(self._group, prefix + after):
            if not item.startswith(prefix):
                return
            if isinstance(row, self._kind):
                yield item.removeprefix(prefix), row

    def keys(self, *parent: str, after: str = "") -> Iterator[str]:
        """Yield of the same rows the rest of the key alone: the rows are not read."""
        prefix = self._item((*parent, ""))
        for item in self._table.items(self._group, prefix + after):
            if not item.startswith(prefix):
                return
            yield item.removeprefix(prefix)

    def _item(self, key: Key) -> str:
        return "|".join((self._prefix, *key))
