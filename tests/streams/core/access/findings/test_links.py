"""Every address of Intercom that the product shows has a form that Intercom has.

The forms are those of Intercom's own documentation and of addresses that its users quote: an app host per region, and below it
`/a/apps/WORKSPACE/settings/SECTION/PAGE`. `_` stands there for "whichever workspace the browser was in last", so it is right in a
general guide and wrong in a finding about one workspace.
"""

import ast
import re
from pathlib import Path

import pytest

from streams.core.access.checks.check import CheckOutcome
from streams.core.access.checks.table import CHECKS
from streams.core.access.findings.build import FindingSubjects, finding_event
from streams.core.access.findings.episodes import EpisodeCause, FindingKey, Terms, begin
from streams.core.access.findings.links import teammates_page
from streams.core.access.findings.ocsf import to_ocsf
from streams.core.access.state.values import CheckResult
from tests.support.company import APP, DAY, T0, TENANT, Company, everyone, roles, settings, teammates_facts

ROOT = Path(__file__).parents[5]
URL = re.compile(r"""https?://[^\s"'<>)\]]+|\b[\w.-]*intercom\.com\b[^\s"'<>)\]]*""")
SOURCE = [path for folder in ("streams", "connectors", "schemas") for path in (ROOT / folder).rglob("*.py")]
EXAMPLES = [path for path in (ROOT / "schemas" / "examples").rglob("*.json") if path.is_file()]
HOST, WORKSPACE = r"https://app\.(eu\.|au\.)?intercom\.com", r"/a/apps/(?P<workspace>[A-Za-z0-9%]+)"
FORMS = [
    re.compile(HOST + WORKSPACE + r"/settings/workspace/(general|teammates|teams|security)"),
    re.compile(HOST + WORKSPACE + r"/users/[0-9a-f]+/all-conversations"),
    re.compile(HOST + r"/a/inbox/(?P<workspace>[A-Za-z0-9%]+)/inbox/conversation/[0-9]+"),
]


def form_of(url):
    return next((found for form in FORMS if (found := form.fullmatch(url.rstrip(".,;:")))), None)


@pytest.fixture(scope="module")
def findings():
    company = Company()
    company.added("7", "jo@acme.example", name="Jo Lind")
    company.staff("77", "jo@acme.example", roles=("Support",), name="Jo Lind")
    company.policy(roles("Sales"))
    company.policy(everyone())
    company.staff("77", "jo@acme.example", at=T0 + 2 * DAY, ends=T0 + 9 * DAY)
    company.removed("7", at=T0 + 10 * DAY)
    company.added("8", at=T0)
    company.teammates(requested=T0 + 11 * DAY)
    company.add(teammates_facts(requested=T0 + 12 * DAY)[0])
    company.tick(company.clock + DAY)
    return company.findings()


def urls(value):
    if isinstance(value, dict):
        return [url for part in value.values() for url in urls(part)]
    if isinstance(value, list):
        return [url for part in value for url in urls(part)]
    return URL.findall(value) if isinstance(value, str) else []


def opened(check, reason):
    """Return a new finding of a check as OCSF, without a history that leads to it."""
    result = CheckResult(check=check.id, result="FAIL", reason=reason, since=T0, severity=check.severity, held=T0)
    key, cause = FindingKey(TENANT, check.id, APP, "7", ""), EpisodeCause("e1", None, T0, T0)
    _, event, _ = begin(key, CheckOutcome(result), cause, (), period=None, context=None, terms=Terms(lambda _: None))
    return to_ocsf(finding_event(key, event, FindingSubjects(None), T0, rules="1").finding)


def test_the_findings_of_a_history_each_have_a_link(findings):
    assert {finding["unmapped"]["check"] for finding in findings} >= {"C1", "C2", "C3", "C4"}
    assert all(finding["remediation"]["references"] for finding in findings)


REASONS = [(check, reason) for check in CHECKS.values() for reason in check.wording]


@pytest.mark.parametrize(("check", "reason"), REASONS, ids=lambda part: getattr(part, "id", part))
def test_a_finding_of_each_check_has_links_into_its_own_workspace(check, reason):
    finding = opened(check, reason)
    assert finding["remediation"]["references"]
    assert {form_of(url)["workspace"] for url in urls(finding)} == {APP}


@pytest.mark.parametrize(
    ("regions", "host"),
    [
        ('{"ws1":"eu"}', "app.eu."),
        ('{"ws1":"au"}', "app.au."),
        ('{"ws2":"eu"}', "app."),
        ('{"ws1":"mars"}', "app."),
        ("no json", "app."),
    ],
)
def test_a_link_has_the_host_of_the_workspaces_region_from_the_settings_on(regions, host):
    company = Company()
    company.policy(everyone())
    (before,) = company.added("7", "jo@acme.example")
    company.add(settings(further={"regions": regions}))
    (after,) = company.added("8", "ida@acme.example")
    assert [each["remediation"]["references"] for each in (before, after)] == [
        [f"https://{name}intercom.com/a/apps/{APP}/settings/workspace/teammates"] for name in ("app.", host)
    ]


def test_each_link_of_a_finding_leads_into_its_own_workspace(findings):
    for finding in findings:
        found = [form_of(url) for url in urls(finding)]
        assert [form and form["workspace"] for form in found] == [finding["unmapped"]["app_id"]] * len(found)


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_each_link_in_a_sentence_has_a_form_that_intercom_has(check):
    sentences = [check.remedy, check.title, *check.unknown_reasons.values()]
    sentences += [sentence for wording in check.wording.values() for sentence in wording]
    assert [url for sentence in sentences for url in urls(sentence) if not form_of(url)] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_link_of_an_example_has_a_form_that_intercom_has(path):
    assert [url for url in URL.findall(path.read_text()) if "app.intercom" in url and not form_of(url)] == []


def test_no_other_file_of_the_product_builds_an_address_of_intercom():
    """A link built elsewhere would not be checked here."""
    texts = {
        (path.name, node.value)
        for path in SOURCE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"app\.(\w+\.)?intercom\.com", node.value)
    }
    assert {name for name, _ in texts} == {"links.py"}


@pytest.mark.parametrize("app_id", ["abc12345", "a/b", "../x", "a b", "ä"])
def test_an_odd_id_cannot_leave_its_place_in_the_address(app_id):
    assert teammates_page(app_id).split("/")[6:] == ["settings", "workspace", "teammates"]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.intercom.com/a/apps/_/settings/teammates",
        "https://app.intercom.com/a/apps/_/settings/workspace/teammates",
        "https://app.intercom.com/a/apps/abc12345/settings/teammate",
        "https://app.intercom.io/a/apps/abc12345/settings/workspace/teammates",
    ],
)
def test_an_address_of_no_known_form_is_noticed(url):
    assert form_of(url) is None
