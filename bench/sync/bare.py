"""The yardstick: a loop of httpx over the pages of /contacts, which follows the cursor and counts."""

import asyncio
import sys

import httpx
import msgspec

from bench.sync.job import TOKEN, ReadingJob, ReadingResult, Stopwatch


async def read(job: ReadingJob) -> ReadingResult:
    """Read all pages, one after the other."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Intercom-Version": "2.16"}
    watch, contacts, after = Stopwatch(), 0, None
    async with httpx.AsyncClient(base_url=job.url, headers=headers, timeout=60) as client:
        while True:
            parameters = {"per_page": "150"} | ({} if after is None else {"starting_after": after})
            page = msgspec.json.decode((await client.get("/contacts", params=parameters)).content)
            contacts += len(page["data"])
            following = page["pages"].get("next")
            if following is None:
                return watch.result(contacts)
            after = following["starting_after"]


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(read(msgspec.json.decode(sys.argv[1], type=ReadingJob)))).decode())
