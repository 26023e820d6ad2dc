"""Options of the verbs that decide: who decides and why, how long to wait for a worker, and output for programs."""

import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
import msgspec

from streams.cli.decisions.requester import Requester
from streams.cli.options import config_option, json_option
from streams.cli.time_param import TimeParam
from streams.core.normal_forms.names import seen

Verb = Callable[..., Any]

tenant_option = click.option("--tenant", metavar="ID", help="Whose. May be left out where one tenant is configured.")
until_option = click.option("--until", type=TimeParam(), metavar="TIME", help="When it ends: 2026-03-31T17:00:00Z.")

_REASON = click.option("--reason", metavar="TEXT", required=True, help="Why. The log and the finding keep it.")
_COMMENT = click.option("--comment", "reason", metavar="TEXT", help="What others should know.")
_WAIT = click.option("--wait", type=click.FloatRange(0.1), default=30.0, show_default=True, metavar="SECONDS",
                     help="How long to wait for a worker to come to the decision.")  # fmt: skip


class IdParam(click.ParamType):
    """Take the id of a person or a team. An address is refused: ids stand outside of the personal part of a fact."""

    name = "id"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not seen(text) or "@" in unicodedata.normalize("NFKC", text) or "|" in text or not text.isprintable():
            self.fail("has to be an id without address: letters, digits and the like, such as team:it", param, ctx)
        return text


class NamedParam(click.ParamType):
    """Take what an account or a ticket is called elsewhere: it holds no bar and no control character, which separate parts of keys."""

    name = "id"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not seen(text) or "|" in text or not text.isprintable():
            self.fail(f"{value!r} is no id: it is empty, or holds '|' or a control character", param, ctx)
        return text


account_argument = click.argument("account", type=NamedParam())
optional_account_argument = click.argument("account", type=NamedParam(), required=False)

_BY = click.option("--by", type=IdParam(), metavar="ID", help="Who decides, where it is not the user of this machine.")


class Deciding(msgspec.Struct, frozen=True, kw_only=True):
    """How a verb decides: by whom and why, how long it waits (seconds), and whether it prints for programs."""

    requester: Requester
    reason: str | None
    wait: float
    as_json: bool

    def __repr__(self) -> str:
        return "Deciding(***)"


def deciding(function: Verb) -> Verb:
    """Add the options of a decision, which needs a reason; the function gets them as `how`."""
    return _with_options(function, _REASON)


def handling(function: Verb) -> Verb:
    """Add the same options, with a comment that may be left out in place of the reason."""
    return _with_options(function, _COMMENT)


def saying(function: Verb) -> Verb:
    """Add the same options, with the text as an argument in place of the reason."""
    return _with_options(function, click.argument("reason", metavar="TEXT"))


def _with_options(function: Verb, reason: Callable[[Verb], Verb]) -> Verb:
    @wraps(function)
    def verb(*arguments: Any, by: str | None, wait: float, as_json: bool, reason: str | None = None, **given: Any) -> Any:
        how = Deciding(requester=Requester.of(by), reason=reason, wait=wait, as_json=as_json)
        return function(*arguments, how=how, **given)

    decided: Verb = verb
    for option in (config_option, json_option, _WAIT, _BY, reason):
        decided = option(decided)
    return decided
