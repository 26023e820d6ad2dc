"""Where a process answers, on the command line."""

import click

from streams.settings.validate import is_listen


class AddressParam(click.ParamType):
    """Take `host:port`, or an empty text for no address. Without a host it is this machine."""

    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not is_listen(text):
            self.fail(f"{text!r} is no address; write one like 127.0.0.1:8080", param, ctx)
        return text
