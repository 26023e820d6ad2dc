"""T1, a test of the alarm: a finding that an operator opens and closes, to see it arrive where findings are acted on.

It is a finding like any other on its way, marked by its check and its words. It says nothing about anybody's access.
"""

from types import MappingProxyType
from typing import Final

import msgspec

from streams.core.access.checks.check import FAIL, CheckOutcome, Wording, WorkspaceCheck, WorkspaceInput, workspace_result
from streams.core.access.state.values import CitedFact


def _answer(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome | None:
    test = view.test
    if test is None:
        return None
    result = workspace_result(check, FAIL, "test", test.since, parameters={"test": test.id})
    # Each test is a finding of its own, also one that follows within ten minutes.
    return CheckOutcome(msgspec.structs.replace(result, severity=test.severity, people=(test.id,)), (CitedFact(test.source),))


ALARM_TEST: Final = WorkspaceCheck(
    id="T1",
    uid="IC-T1",
    name="alarm-test",
    title="Test of the alarm",
    control="Alarms about access arrive",
    standards=("ISO/IEC 27001:2022 A.8.16",),
    severity=4,
    may_be_exempt=False,  # a test that is suppressed would ring nobody, and say that it went the whole way
    answer=_answer,
    wording=MappingProxyType({
        "test": Wording("Test of the alarm for workspace {app_id}: nothing is wrong", "An operator opened test {test}. It closes within an hour."),
    }),
    remedy="Nothing. It is closed by the operator who opened it, and by itself after an hour.",
)  # fmt: skip
