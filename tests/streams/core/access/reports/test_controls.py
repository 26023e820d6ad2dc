"""The controls of standards: every check is in the table, and what findings have on the wire is among them."""

import re

from schemas.access.facts import AccessSettings
from streams.core.access.checks.table import CHECKS
from streams.core.access.reports.controls import CIS, CONTROLS, ISO, NIST, SOC2, SOURCES, STANDARDS, controls, evidence_on

FORMS = {SOC2: r"CC\d\.\d", ISO: r"A\.[5-8]\.\d{1,2}", NIST: r"[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?", CIS: r"\d{1,2}\.\d{1,2}"}
ON_THE_WIRE = {"SOC 2 TSC": SOC2, "ISO/IEC 27001:2022": ISO}


def test_each_control_is_named_as_its_standard_names_it_and_stands_once():
    assert all(re.fullmatch(FORMS[control.standard], control.id) for control in CONTROLS)
    assert len({control[:2] for control in CONTROLS}) == len(CONTROLS)


def test_each_standard_names_the_document_and_pages_that_its_identifiers_are_from():
    assert list(SOURCES) == list(STANDARDS)
    assert all(source.document and source.pages for source in SOURCES.values())


def test_every_check_but_the_test_of_the_alarm_gives_evidence_for_a_control_of_each_standard():
    named = {
        standard: {check for control in CONTROLS if control.standard == standard for check in control.checks}
        for standard in FORMS
    }
    assert {check for checks in named.values() for check in checks} == set(CHECKS) - {"T1"}
    assert all({"C1", "C2", "C3", "C4", "C5"} <= checks for checks in named.values())


def test_the_controls_that_findings_name_are_in_the_table():
    table = {(check, control.standard, control.id) for control in CONTROLS for check in control.checks}
    wire = set()
    for check, definition in CHECKS.items():
        for text in definition.standards if check != "T1" else ():
            standard, _, control = text.rpartition(" ")
            wire.add((check, ON_THE_WIRE[standard], control))
    assert sorted(wire - table) == []


def test_checks_that_are_off_give_no_evidence():
    on = evidence_on(AccessSettings(hash="h", further={"checks": '{"C10":{}}'}))
    assert ("C10" in on, "C11" in on, "C1" in on, "T1" in on) == (True, False, True, False)
    [control] = [each for each in controls({"C10": {"PASS": 2}}, on) if (each.standard, each.control) == (ISO, "A.8.5")]
    assert (control.checks, control.off, control.results) == (("C10",), ("C11",), {"PASS": 2})
