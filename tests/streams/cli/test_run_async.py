"""What a short verb silences while it runs, and not for longer."""

import logging

from streams.cli.run_async import run


def test_libraries_are_silent_while_a_verb_runs_and_heard_again_after_it():
    logger = logging.getLogger("aiokafka")
    before = logger.level

    async def verb() -> int:
        return logger.level

    assert run(verb()) == logging.CRITICAL
    assert logger.level == before != logging.CRITICAL
