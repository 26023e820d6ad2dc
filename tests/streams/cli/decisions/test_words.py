"""What an operator types and reads: which workspace is meant, what a kind of account can have, and of whom nothing is known."""

import asyncio

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.errors import BadConfiguration, InvalidRecord
from schemas.tenancy import Tenancy, Tenant, Workspace
from streams.cli.access.exported import check_tenant
from streams.cli.workspace import tenant_of_workspace
from tests.streams.cli.at_work import APP, at_work, company, happened
from tests.streams.cli.operator import Operator
from tests.streams.cli.verbs.test_decisions import WHY, printed


def tenancy(**workspaces: tuple[str, ...]) -> Tenancy:
    return Tenancy.of(
        (), [Tenant(id=id_, workspaces=tuple(Workspace(app_id=each, app="a") for each in own)) for id_, own in workspaces.items()]
    )


def test_of_several_tenants_a_verb_asks_for_the_workspace_which_is_what_it_can_be_given():
    several = tenancy(acme=("ws1", "ws2"), other=("ws3",))
    assert tenant_of_workspace(several, "ws2") == "acme"
    with pytest.raises(
        BadConfiguration, match=r"Say which workspace with --workspace APP_ID\. Configured workspaces: ws1, ws2, ws3\."
    ):
        tenant_of_workspace(several, None)
    assert tenant_of_workspace(tenancy(acme=("ws1", "ws2")), None) == "acme"
    assert tenant_of_workspace(tenancy(acme=("ws1",), other=()), None) == "acme"


def test_that_nothing_differs_is_no_answer_about_a_tenant_of_whom_there_is_nothing():
    check_tenant(None, {})
    check_tenant("acme", {"acme": 1})
    with pytest.raises(BadConfiguration, match="nothing of a tenant 'acne' to verify"):
        check_tenant("acne", {"acme": 1})


@pytest.mark.parametrize("verb", ["verify", "replay-check"])
def test_a_tenant_that_there_is_not_is_not_verified(operator: Operator, verb: str):
    result = operator.types("access", verb, "--tenant", "acne")
    assert isinstance(result.exception, BadConfiguration)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("service", "--until", "2999-01-01T00:00:00Z"), "only an external account has an end, and it is to be service"),
        (("none", "--until", "2999-01-01T00:00:00Z"), "what is not classified any more has no owner and no end"),
    ],
    ids=str,
)
def test_an_end_that_would_end_nothing_is_refused(operator: Operator, words: tuple[str, ...], problem: str):
    result = operator.types("account", "classify", "9", *words, *WHY)
    assert isinstance(result.exception, InvalidRecord)
    assert problem in str(result.exception)
    assert operator.log() == []


@pytest.mark.asyncio
async def test_an_account_that_nobody_knows_is_decided_about_and_named(operator: Operator, cluster: KafkaSettings):
    async with at_work(cluster):
        await happened(operator, *company())
        typo = await asyncio.to_thread(operator.types, "account", "classify", "88", "service", *WHY)
        assert typo.exit_code == 0
        assert typo.stderr == f"no teammate is known as 88 of {APP}: what is decided holds once there is one\n"
        many = operator.file("many.csv", "account,kind\n" + "".join(f"{number},service\n" for number in range(90, 100)))
        shown = await asyncio.to_thread(operator.types, "account", "classify", "--file", many, *WHY)
        named = ", ".join(f"{number} of {APP}" for number in range(90, 95))
        assert shown.stderr == f"no teammate is known as {named}, and 5 more: what is decided holds once there is one\n"
        known = await asyncio.to_thread(operator.types, "account", "classify", "8", "service", *WHY)
        assert known.stderr == ""


@pytest.mark.asyncio
async def test_an_approval_for_every_workspace_needs_none_of_them(operator: Operator, cluster: KafkaSettings):
    text = operator.config.read_text(encoding="utf-8")
    own = text[: text.index('[[tenants]]\nid = "other"')]
    operator.config.write_text(f'{own}[[tenants.workspaces]]\napp_id = "def67890"\napp = "support"\n', encoding="utf-8")
    grant = ("approval", "grant", "--person", "hr/88", "--ticket", "A", "--no-end", *WHY)
    async with at_work(cluster):
        await happened(operator, *company())
        assert (await printed(operator, *grant, "--anywhere"))["app_id"] is None
        assert (await printed(operator, *grant, "--workspace", APP))["app_id"] == APP
        unsaid = await asyncio.to_thread(operator.types, *grant)
        assert "Say which workspace of" in str(unsaid.exception)
