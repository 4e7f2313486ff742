"""How long a job stays with a worker that may have died.

arq marks a job as taken for the longest time that it may run, and until then nobody can take
or queue it again; a job whose worker was killed would rest for minutes. Here a job is taken
for seconds at a time, and renewed as long as its worker lives.
"""

import asyncio
import contextlib
from typing import Any

from arq import ArqRedis
from arq.constants import in_progress_key_prefix
from redis.exceptions import RedisError


class Leases:
    """The jobs that this worker holds."""

    def __init__(self, seconds: float) -> None:
        self._milliseconds = round(seconds * 1000)
        self._held: set[str] = set()

    async def take(self, redis: ArqRedis, job_id: str) -> None:
        """Holds a job that arq has just marked as taken."""
        self._held.add(job_id)
        await self._renew(redis, [job_id])

    def release(self, job_id: str) -> None:
        """Ends holding a job; arq removes its mark."""
        self._held.discard(job_id)

    async def keep(self, redis: ArqRedis) -> None:
        """Renews what is held until cancelled."""
        while True:
            await asyncio.sleep(self._milliseconds / 3000)
            await self._renew(redis, list(self._held))

    async def _renew(self, redis: ArqRedis, job_ids: list[str]) -> None:
        # A Redis that is away has forgotten the marks or will be back before they run out.
        with contextlib.suppress(RedisError, OSError):
            for job_id in job_ids:
                await redis.pexpire(in_progress_key_prefix + job_id, self._milliseconds)


async def shorten(redis: ArqRedis, job_ids: list[str], seconds: float) -> None:
    """Cuts the marks of overdue jobs to a lease's length; whoever holds one renews it.

    A worker killed between arq's mark and its own lease leaves one that lasts for minutes.
    """
    with contextlib.suppress(RedisError, OSError):
        for job_id in job_ids:
            if await redis.pttl(in_progress_key_prefix + job_id) > seconds * 1000:
                await redis.pexpire(in_progress_key_prefix + job_id, round(seconds * 1000))


async def on_job_start(ctx: dict[str, Any]) -> None:
    """arq's hook before each job."""
    await ctx["leases"].take(ctx["redis"], ctx["job_id"])


async def on_job_end(ctx: dict[str, Any]) -> None:
    """arq's hook after each job, before its mark is removed."""
    ctx["leases"].release(ctx["job_id"])
