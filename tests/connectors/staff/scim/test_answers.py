"""From an identity provider's requests to the answers of the checks, through the access agent."""

import pytest

from tests.support.company import DAY, T0, Company, everyone, roles
from tests.support.scim.bodies import ENTERPRISE, GROUP_SCHEMA, patch, user
from tests.support.scim.in_memory import ScimInMemory

JO = "jo@acme.example"


class Story:
    """A source, and a company whose agent has read all of its facts."""

    def __init__(self, *rules, **options):
        self.scim = ScimInMemory(**options)
        self.scim.clock = T0
        self.company = Company()
        self.company.policy(*rules)
        self.company.added("7", JO, at=T0 + DAY)
        self._read = 0

    def ask(self, method, path, body=None):
        self.scim.clock += DAY
        answer = self.scim.ask(method, path, body)
        assert answer.status < 300, answer.body
        for fact in self.scim.log.facts[self._read :]:
            self.company.add(fact, at=self.scim.clock)
        self._read = len(self.scim.log.facts)
        return answer.body

    def results(self, *checks):
        results = self.company.results()
        return tuple(results[f"{check} 7"] for check in checks)


def active(value):
    return patch({"op": "Replace", "path": "active", "value": value})


def test_a_joiner_is_identified_a_leaver_fails_and_a_rehire_passes_again():
    story = Story(everyone())
    assert story.results("C1") == ("FAIL",)
    id_ = story.ask("POST", "/Users", user(JO, externalId="1"))["id"]
    assert story.results("C1", "C2", "C4") == ("PASS", "PASS", "PASS")
    story.ask("PATCH", f"/Users/{id_}", active("False"))
    assert story.results("C1", "C2") == ("PASS", "FAIL")
    story.ask("PATCH", f"/Users/{id_}", active("True"))
    assert story.results("C1", "C2", "C4") == ("PASS", "PASS", "PASS")


def test_a_leaver_who_is_deleted_fails_until_the_same_person_is_created_again():
    story = Story(everyone())
    id_ = story.ask("POST", "/Users", user(JO, externalId="1"))["id"]
    story.ask("PATCH", f"/Users/{id_}", active(value=False))
    story.ask("DELETE", f"/Users/{id_}")
    assert story.results("C2") == ("FAIL",)
    story.ask("POST", "/Users", user(JO, externalId="1"))
    assert story.results("C1", "C2", "C4") == ("PASS", "PASS", "PASS")


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PUT", user(JO, displayName="Jo")),
        ("PATCH", patch({"op": "remove", "path": "active"})),
        ("PATCH", patch({"op": "replace", "path": "active", "value": None})),
    ],
)
def test_to_leave_out_whether_a_leaver_is_active_employs_nobody_again(method, body):
    story = Story(everyone(), roles="groups")
    id_ = story.ask("POST", "/Users", user(JO))["id"]
    story.ask("PATCH", f"/Users/{id_}", active(value=False))
    story.ask(method, f"/Users/{id_}", body)
    assert story.results("C2") == ("FAIL",)
    story.ask("PATCH", f"/Users/{id_}", patch({"op": "replace", "path": "displayName", "value": "Joan"}))
    story.ask("POST", "/Groups", {"schemas": [GROUP_SCHEMA], "displayName": "Support", "members": [{"value": id_}]})
    assert story.results("C2") == ("FAIL",)
    story.ask("PATCH", f"/Users/{id_}", active(value=True))
    assert story.results("C2") == ("PASS",)
    story.ask("PATCH", f"/Users/{id_}", patch({"op": "remove", "path": "active"}))
    assert story.results("C2") == ("PASS",)


def test_a_leaver_stays_one_though_somebody_with_another_number_is_created_under_the_same_external_id():
    story = Story(everyone())
    id_ = story.ask("POST", "/Users", user(JO, externalId="jsmith", **{ENTERPRISE: {"employeeNumber": "1"}}))["id"]
    story.ask("DELETE", f"/Users/{id_}")
    story.ask("POST", "/Users", user("jane@acme.example", externalId="jsmith", **{ENTERPRISE: {"employeeNumber": "2"}}))
    assert story.results("C1", "C2") == ("PASS", "FAIL")
    story.ask("POST", "/Users", user(JO, externalId="0", **{ENTERPRISE: {"employeeNumber": "1"}}))
    assert story.results("C1", "C2") == ("PASS", "PASS")


def test_a_rename_parts_nobody_from_the_account_neither_while_employed_nor_as_a_leaver():
    story = Story(everyone())
    id_ = story.ask("POST", "/Users", user(JO))["id"]
    story.ask("PATCH", f"/Users/{id_}", patch({"op": "replace", "path": "userName", "value": "joan@acme.example"}))
    assert story.results("C1", "C2") == ("PASS", "PASS")
    story.ask("PATCH", f"/Users/{id_}", active(value=False))
    assert story.results("C1", "C2") == ("PASS", "FAIL")


@pytest.mark.parametrize("how", ["inactive", "deleted"])
def test_where_the_source_says_withdrawn_nobody_has_left_and_nobody_is_identified(how):
    story = Story(everyone(), inactive="withdrawn", deleted="withdrawn")
    id_ = story.ask("POST", "/Users", user(JO))["id"]
    assert story.results("C1", "C2") == ("PASS", "PASS")
    if how == "inactive":
        story.ask("PATCH", f"/Users/{id_}", active(value=False))
    else:
        story.ask("DELETE", f"/Users/{id_}")
    assert story.results("C1", "C2") == ("FAIL", "UNKNOWN")


def test_a_change_of_groups_changes_who_may_have_access():
    story = Story(roles("Support"), roles="groups")
    id_ = story.ask("POST", "/Users", user(JO))["id"]
    assert story.results("C4") == ("UNKNOWN",)  # in no group yet: nothing is known of roles
    group = story.ask("POST", "/Groups", {"schemas": [GROUP_SCHEMA], "displayName": "Support", "members": [{"value": id_}]})["id"]
    assert story.results("C4") == ("PASS",)
    story.ask("PATCH", f"/Groups/{group}", patch({"op": "replace", "path": "displayName", "value": "Sales"}))
    assert story.results("C4") == ("FAIL",)
    story.ask("PATCH", f"/Groups/{group}", patch({"op": "replace", "path": "displayName", "value": "Support"}))
    story.ask("PATCH", f"/Groups/{group}", patch({"op": "remove", "path": f'members[value eq "{id_}"]'}))
    assert story.results("C4") == ("FAIL",)
