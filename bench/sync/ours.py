"""The product's backfill of contacts: its client, its budget, and each page with what remains in one transaction."""

import asyncio
import sys
import time

import msgspec

from bench.sync.job import APP_ID, TOKEN, ReadingJob, ReadingResult, Stopwatch
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.tenancy import Secret, Workspace
from streams.ops.backfill.run import ReadingPlan, begin


async def read(job: ReadingJob) -> ReadingResult:
    """Read the workspace's contacts into their topic."""
    workspace = Workspace(app_id=APP_ID, app="bench", access_token=Secret(TOKEN), api_url=job.url)
    kafka = KafkaSettings(bootstrap=job.bootstrap, topic_prefix=job.prefix)
    watch = Stopwatch()
    async with RestClient(workspace, ProcessBudget(time.monotonic)) as client:
        done = await begin(kafka, Avro.local(), client, ReadingPlan(tenant="bench", objects=("contacts",)))
    return watch.result(done.progress["contacts"].read)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(read(msgspec.json.decode(sys.argv[1], type=ReadingJob)))).decode())
