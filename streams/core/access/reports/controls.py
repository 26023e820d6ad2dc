"""Controls of standards, and the checks that give evidence for each.

Identifiers are those of the standards; what a control is about is in words of this project, since their texts belong to their publishers. A check
is evidence for a part of a control, never for all of it: who reads a report decides whether it is enough.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from schemas.access.facts import AccessSettings
from schemas.access.reports import ReportedControl
from streams.core.access.checks.further.switches import switches_of
from streams.core.access.checks.table import CHECKS

SOC2: Final = "SOC 2"
ISO: Final = "ISO 27001:2022"
NIST: Final = "NIST 800-53"
CIS: Final = "CIS 8.1"


class Control(NamedTuple):
    """A control, what it is about, and the checks that give evidence for it."""

    standard: str
    id: str
    about: str
    checks: tuple[str, ...]


class ControlSource(NamedTuple):
    """Where a standard's identifiers are from: the document, and public pages that say of each control that is cited what it is about."""

    document: str
    pages: tuple[str, ...]


SOURCES: Final = {
    SOC2: ControlSource(
        "AICPA, Trust Services Criteria 2017 with points of focus of 2022, CC6 and CC7",
        (
            "screenata.com/resources/answers/what-is-cc6-1-in-soc-2-and-what-evidence-does-it-require",
            "docs.alertlogic.com/analyze/reports/compliance/SOC2-CC-6.2-user-registration.htm",
            "auditfront.com/frameworks/soc-2/common-criteria/cc6-3",
            "auditfront.com/frameworks/soc-2/common-criteria/cc7-2",
        ),
    ),
    ISO: ControlSource(
        "ISO/IEC 27001:2022, Annex A",
        (
            "askmeidentity.com/resources/compliance/iso-27001-iam/",  # A.5.15 to A.5.17, A.5.19, A.8.2, A.8.5
            "isms.online/iso-27001/annex-a/5-18-access-rights-2022",
            "isms.online/iso-27001/annex-a/6-5-responsibilities-after-termination-change-of-employment-2022",
            "advisera.com/iso27001/control-8-16-monitoring-activities/",
        ),
    ),
    NIST: ControlSource(
        "NIST SP 800-53 revision 5, families AC, CA, IA and PS",
        ("github.com/usnistgov/oscal-content",),  # NIST's own catalogue as data (SP800-53/rev5, 5.1.1): all that are cited
    ),
    CIS: ControlSource(
        "CIS Critical Security Controls version 8.1, controls 5 and 6",
        (
            "cas.docs.cisecurity.org/en/latest/source/Controls5",
            "advancecyber.com/safeguard/5.1",  # and 5.3, 5.5
            "advancecyber.com/control/6",
        ),
    ),
}
"""By standard. Identifiers were compared with what these pages say they are about; one that no page has is not cited."""

_DATA: Final = ("S1", "S2", "S3", "S4")

CONTROLS: Final = (
    Control(SOC2, "CC6.1", "access is limited to known users by rules that somebody decided", ("C1", "C3", "C5", "C10", "C11", "C14", "C7")),
    Control(SOC2, "CC6.2", "users are registered before they get access, and lose it when they no longer may have it", ("C1", "C2", "C6", "C8", "C12", "C13", "C7", *_DATA)),
    Control(SOC2, "CC6.3", "access follows roles, and changes with them", ("C3", "C4", "C9", "C14", "C15")),
    Control(SOC2, "CC7.2", "unusual behaviour is noticed", ("C6", "C8", "C9", "C12", "C13", "C16", *_DATA)),
    Control(ISO, "A.5.15", "rules of access exist", ("C3", "C4")),
    Control(ISO, "A.5.16", "identities are managed from their beginning to their end", ("C1", "C5", "C7")),
    Control(ISO, "A.5.17", "means of authentication are managed", ("C10", "C12", "C13")),
    Control(ISO, "A.5.18", "access rights are granted, reviewed, changed and removed", ("C2", "C4", "C8", "C9", "C13", "C15", *_DATA)),
    Control(ISO, "A.5.19", "what suppliers may do is agreed and limited", ("C14",)),
    Control(ISO, "A.6.5", "duties that remain when employment ends or changes", ("C2", "C6", "C12", "C13")),
    Control(ISO, "A.8.2", "privileged access is restricted", ("C4", "C9", "C14")),
    Control(ISO, "A.8.5", "authentication is secure", ("C10", "C11")),
    Control(ISO, "A.8.16", "unusual behaviour is monitored", ("C6", "C12", "C16", *_DATA)),
    Control(NIST, "AC-2", "accounts are managed: types, owners, approval, review, removal", ("C1", "C2", "C3", "C5", "C7", "C8", "C16")),
    Control(NIST, "AC-2(1)", "accounts are managed by automatic means", ("C9", "S2")),
    Control(NIST, "AC-2(3)", "accounts that have expired, belong to nobody, break the policy or are unused are disabled", ("C1", "C2", "C5", "C15")),
    Control(NIST, "AC-2(12)", "use of accounts that is not typical is monitored", ("C6", "C12", "C16")),
    Control(NIST, "AC-3", "approved authorisations are enforced", ("C3", "C4")),
    Control(NIST, "AC-6", "nobody has more access than a task needs", ("C4", "C14")),
    Control(NIST, "CA-7", "controls are monitored without a break", _DATA),
    Control(NIST, "IA-2", "users are identified and authenticated, each of them alone", ("C1", "C5", "C10", "C11")),
    Control(NIST, "PS-4", "access and credentials end with employment", ("C2", "C6", "C12", "C13")),
    Control(NIST, "PS-5", "access is reviewed when somebody's role changes", ("C4",)),
    Control(CIS, "5.1", "an inventory of all accounts is kept, and says whose they are", ("C1", "C7", *_DATA)),
    Control(CIS, "5.3", "accounts that are not used are disabled", ("C15",)),
    Control(CIS, "5.5", "an inventory of service accounts is kept, with owner and purpose", ("C5",)),
    Control(CIS, "6.1", "access is granted by a process", ("C4", "C8", "C9")),
    Control(CIS, "6.2", "access is revoked by a process, at once when employment ends", ("C2", "C6", "C13")),
    Control(CIS, "6.3", "applications that are reached from outside ask for more than one factor", ("C10", "C11")),
    Control(CIS, "6.8", "access by role is defined and kept", ("C3", "C4")),
)  # fmt: skip
"""In the order in which they are shown."""

_TEST: Final = "T1"  # tests of the alarm are no evidence of anything
STANDARDS: Final = tuple(dict.fromkeys(control.standard for control in CONTROLS))


def evidence_on(settings: AccessSettings | None) -> tuple[str, ...]:
    """Return the checks that are on by the settings in force."""
    switched = switches_of(settings)
    return tuple(
        check for check, definition in CHECKS.items() if check != _TEST and (not definition.further or check in switched)
    )


def controls(results: Mapping[str, Mapping[str, int]], on: Collection[str]) -> list[ReportedControl]:
    """Return each control with what its checks answered: numbers by check and result. Checks that are not `on` give no evidence."""
    found = []
    for control in CONTROLS:
        total: Counter[str] = Counter()
        for check in control.checks:
            total.update(results.get(check, {}))
        found.append(
            ReportedControl(
                standard=control.standard,
                control=control.id,
                about=control.about,
                checks=tuple(check for check in control.checks if check in on),
                off=tuple(check for check in control.checks if check not in on),
                results=dict(sorted(total.items())),
            )
        )
    return found
