"""A number on the command line that can be waited for or divided by: click takes `nan` and `inf` for numbers too."""

import math

import click


class FiniteRange(click.FloatRange):
    """Take a finite number in a range."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number", param, ctx)
        return number
