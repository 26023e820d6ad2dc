"""An independent client tries the running server, by the standard."""

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from tests.patience import DEADLINE_S
from tests.support.scim.running import TOKEN, make_fact_log, scim_config, scim_server


@pytest.mark.asyncio
async def test_the_server_passes_scim2_tester(kafka, prefix, tmp_path):
    await make_fact_log(kafka, prefix)
    with scim_server(scim_config(tmp_path, kafka, prefix)) as server:
        server.wait_until_ready()
        with httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=DEADLINE_S) as client:
            results = check_server(SyncSCIMClient(client))
    failed = [result for result in results if result.status in (Status.ERROR, Status.CRITICAL)]
    assert [(result.title, result.reason) for result in failed] == []
    assert sum(result.status is Status.SUCCESS for result in results) > 50
