"""Answers of the simulated API before they are sent, and refusals in Intercom's words."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Reply(msgspec.Struct, frozen=True):
    """Status, body and further headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}


class Refused(Exception):
    """The request gets this error list as its answer."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}

    def reply(self, request_id: str) -> Reply:
        errors = [{"code": self.code, "message": self.message}]
        return Reply(self.status, {"type": "error.list", "request_id": request_id, "errors": errors}, self.headers)


def missing(what: str) -> Refused:
    """Return the refusal of an object that is not there."""
    code = "company_not_found" if what == "Company" else "not_found"
    return Refused(404, code, f"{what} Not Found")


def invalid(message: str, code: str = "parameter_invalid") -> Refused:
    return Refused(400, code, message)
