"""What follows from registers is computed once and kept beside their fields, since they never change."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from schemas.profiles.registers import Registers

T = TypeVar("T")


def kept_with_registers(compute: Callable[[Registers], T]) -> Callable[[Registers], T]:
    """Return the function, with each answer kept with the registers that it is about. Who changes an answer has to copy it first."""
    name = f"{compute.__module__}.{compute.__qualname__}"

    @wraps(compute)
    def kept(registers: Registers) -> T:
        found: T | None = registers.__dict__.get(name)
        if found is None:
            found = registers.__dict__[name] = compute(registers)
        return found

    return kept
