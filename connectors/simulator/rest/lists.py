"""Pages: by cursor, by number, and by search. Each can write `next` in every form that Intercom has been seen to use."""

import base64
import html
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from connectors.simulator.rest.calls import Call
from connectors.simulator.rest.replies import Reply, invalid
from connectors.simulator.rest.search import TimeRules, parsed
from connectors.simulator.workspace.lazy_rows import LazyRows, Position, RowOfWorkspace

MOST: Final = 150
_cursor: Final = msgspec.json.Decoder(tuple[int, int])


class ListForm(msgspec.Struct, frozen=True):
    """What a list calls itself and its items, and how many are on a page if the request does not say."""

    type: str = "list"
    key: str = "data"
    default: int = 50
    most: int = MOST


class LazySequence:
    """Items of which a page is cut out: `every` yields all from the first, so that none is kept."""

    def __init__(self, every: Callable[[], Iterable[Any]], length: int) -> None:
        self._every, self._length = every, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, at: slice) -> list[Any]:
        return list(islice(self._every(), at.start, min(at.stop, self._length)))


def by_cursor(call: Call, form: ListForm, items: Callable[[int], Iterable[tuple[int, Any]]], total: int) -> Reply:
    """Return a page of numbered items; `items` yields those above a number."""
    size = call.size(call.query.get("per_page"), form.default, form.most)
    _, after = position(call.query.get("starting_after")) or (0, -1)
    found = list(islice(items(after), size + call.faults.skipped_items + 1))
    more = found[-2][0] if len(found) > size + call.faults.skipped_items else None
    if call.faults.repeated_pages and more is not None and after >= 0:
        more = after
    following = None if more is None else {"per_page": size, "starting_after": cursor((0, more))}
    return _page(call, form, [item for _, item in found[:size]], total, size=size, following=following)


def by_number(call: Call, form: ListForm, items: Sequence[Any] | LazySequence, asked: Any = None) -> Reply:
    """Return a page of a list by its number. Page 0 is page 1; `asked` has the values where they are not in the query."""
    values = call.query if asked is None else asked
    size = call.size(values.get("per_page"), form.default, form.most)
    page = max(1, call.number(values.get("page"), 1))
    shown = items[(page - 1) * size : page * size]
    last = max(1, -(-len(items) // size))
    following = None
    if page < last:
        wanted = page if call.faults.repeated_pages else page + 1
        following = (
            {"page": wanted, "per_page": size} if call.faults.next_as == "object" else call.linked(page=wanted, per_page=size)
        )
    pages = {"type": "pages", "page": page, "per_page": size, "total_pages": last}
    if following is not None or call.faults.end_as != "absent":
        pages["next"] = following
    return _reply(call, form, list(shown), {"pages": pages, "total_count": len(items)})


def found_by_search(call: Call, form: ListForm, rows: LazyRows[Any], render: Callable[[Any], Any], rules: TimeRules) -> Reply:
    """Return a page of what a search finds. Rows that changed within the delay of searches are not found yet."""
    query, pagination = parsed(call.body.get("query"), rules), call.body.get("pagination") or {}
    if not isinstance(pagination, dict):
        raise invalid("pagination is an object")
    sort = call.body.get("sort")
    descending = _descending(sort)
    size = call.size(pagination.get("per_page"), form.default, form.most)
    after = position(pagination.get("starting_after"))
    unseen = rows.recent(call.now_ms - round(call.faults.search_delay_s * 1000)) if call.faults.search_delay_s else set()

    def matches(start: Position | None) -> Iterable[tuple[Position, Any]]:
        for at in rows.between(query.start_ms, query.end_ms, start, descending=descending):
            row = None if at[1] in unseen else rows.get(at[1])
            item = None if row is None else render(row)
            if item is not None and (query.holds is None or query.holds(item)):
                yield at, item

    reach = size + call.faults.skipped_items
    found = list(islice(matches(after), reach + 1))
    total = rows.count_between(query.start_ms, query.end_ms) - _within(rows, unseen, query.start_ms, query.end_ms)
    if query.holds is not None:
        total = sum(1 for _ in matches(None))
    shown, more = found[:size], len(found) > reach
    last = found[reach - 1][0] if more else None
    if call.faults.repeated_pages and after is not None and more:
        last = after
    items = [item for _, item in (shown if sort else sorted(shown, key=lambda each: str(each[1].get("id"))))]
    following = None if last is None else {"per_page": size, "starting_after": cursor(last)}
    return _page(call, form, items, total, size=size, following=following)


def cursor(at: Position) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(at)).decode()


def position(text: Any) -> Position | None:
    """Read a cursor. Raises the refusal of a text that is none."""
    if text is None:
        return None
    try:
        return _cursor.decode(base64.urlsafe_b64decode(str(text)))
    except (ValueError, msgspec.DecodeError) as error:
        raise invalid("starting_after is not a cursor of this list") from error


def _page(call: Call, form: ListForm, items: list[Any], total: int, *, size: int, following: dict[str, Any] | None) -> Reply:
    pages: dict[str, Any] = {"type": "pages", "page": 1, "per_page": size, "total_pages": max(1, -(-total // size))}
    if following is not None:
        pages["next"] = call.linked(**following) if call.faults.next_as == "url" else following
    elif call.faults.end_as == "null":
        pages["next"] = None
    return _reply(call, form, items, {"total_count": total, "pages": pages})


def _reply(call: Call, form: ListForm, items: list[Any], rest: dict[str, Any]) -> Reply:
    if call.faults.escaped_names:
        items = [escaped(item) for item in items]
    return Reply(200, {"type": form.type, form.key: items, **rest})


def escaped(item: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its name escaped for HTML, as some answers had it."""
    return {**item, "name": html.escape(item["name"])} if isinstance(item.get("name"), str) else item


def _descending(sort: Any) -> bool:
    if sort is None:
        return True
    if not isinstance(sort, dict) or sort.get("field") != "updated_at":
        raise invalid("the simulator sorts by updated_at alone", "invalid_sort_field")
    if sort.get("order", "descending") not in {"ascending", "descending"}:
        raise invalid("order is ascending or descending", "invalid_sort_order")
    return bool(sort.get("order", "descending") == "descending")


def _within(rows: LazyRows[RowOfWorkspace], numbers: set[int], start_ms: int, end_ms: int) -> int:
    changed = (rows.get(number) for number in numbers)
    return sum(1 for row in changed if row is not None and row.listed and start_ms <= row.updated_ms < end_ms)
