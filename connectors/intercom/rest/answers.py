"""An answer of Intercom's REST API: its headers as numbers, its errors as one text, its items as the bytes they came in."""

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final

import msgspec

_SUCCESS: Final = range(200, 300)
_LONGEST_WINDOW: Final = (
    600.0  # seconds; Intercom documents ten: a window that ends later is none, and would be waited for without end
)
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What the rate headers of one answer say: `remaining` of `limit` calls until `resets_in` seconds after the answer, at the latest.

    `window` is the second, by Intercom's clock, at which the window ends: it names the window.
    """

    limit: int
    remaining: int
    window: int
    resets_in: float


class RestAnswer(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Status, headers in lower case, body. `seconds` is how long the answer took, `at` when it came, in ms since 1970 by our clock."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    at: int

    @property
    def ok(self) -> bool:
        return self.status in _SUCCESS

    @property
    def date(self) -> int:
        """When Intercom answered, in ms since 1970, by its clock; by ours where it does not say."""
        try:
            return int(parsedate_to_datetime(self.headers["date"]).timestamp()) * 1000
        except (KeyError, ValueError, OverflowError):
            return self.at

    @property
    def requested_at(self) -> int:
        """When the request was surely not yet served, in ms since 1970 by Intercom's clock: its `Date` less the time it took."""
        return self.date - round(self.seconds * 1000)

    @property
    def budget(self) -> Budget | None:
        """The rate headers, where all three are numbers, and the window ends within minutes."""
        try:
            limit, remaining, window = (int(self.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))
        except (KeyError, ValueError):
            return None
        resets_in = window - self.date / 1000
        if resets_in > _LONGEST_WINDOW:
            return None
        return Budget(limit=limit, remaining=remaining, window=window, resets_in=max(0.0, resets_in))

    @cached_property
    def fields(self) -> dict[str, msgspec.Raw] | None:
        """The fields of the JSON object in the body, each as its bytes; None if there is no JSON object."""
        try:
            return _fields.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            body = _lenient(self.body)
            return {name: _raw(value) for name, value in body.items()} if isinstance(body, dict) else None

    @property
    def value(self) -> Any:
        """The body's decoded JSON; None if there is none."""
        return decoded(self.body)

    @property
    def has_errors(self) -> bool:
        """Whether the body is a list of errors, as Intercom's refusals are: those of a proxy or a firewall are not."""
        return self.fields is not None and items_of(self.fields, "errors") is not None

    def error(self) -> tuple[str, str]:
        """Return code and message of the first error in the body; empty texts where there is none."""
        try:
            errors = msgspec.json.decode(self.body)["errors"]
            first: Mapping[str, Any] = errors[0]
            return str(first.get("code") or ""), str(first.get("message") or "")
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, AttributeError):
            return "", ""


def items_of(fields: Mapping[str, msgspec.Raw], *keys: str) -> tuple[bytes, ...] | None:
    """Return the items of the first of these fields that is an array, each as the bytes it came in; None where none is."""
    for key in keys:
        if key in fields:
            try:
                return tuple(bytes(item) for item in _array.decode(fields[key]))
            except msgspec.DecodeError:
                items = _lenient(fields[key])
                if isinstance(items, list):
                    return tuple(bytes(_raw(item)) for item in items)
    return None


def value_of(fields: Mapping[str, msgspec.Raw], key: str) -> Any:
    """Return the decoded value of a field; None where it is absent."""
    if key not in fields:
        return None
    return decoded(fields[key])


def decoded(text: msgspec.Raw | bytes) -> Any:
    """Return decoded JSON, also with half of a surrogate pair in a text; None where it is no JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _lenient(text)


def _lenient(text: msgspec.Raw | bytes) -> Any:
    """Decode JSON with half of a surrogate pair in a text, which msgspec refuses: it must not cost the page it is on."""
    try:
        return json.loads(bytes(text))
    except (ValueError, RecursionError):
        return None


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())
