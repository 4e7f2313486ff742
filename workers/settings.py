"""What arq needs to know: the jobs, their schedule, and how a worker starts and stops."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from arq import cron, func
from arq.connections import RedisSettings

from opendeep_app.config import Settings
from opendeep_app.dependencies import dependencies
from opendeep_app.logs import configure_logs
from workers.calls import analyse_call, hang_up_call, hang_up_stray, place_call
from workers.info_requests import expire_info_requests
from workers.leases import Leases, on_job_end, on_job_start
from workers.recordings import fetch_recording, sweep_recordings
from workers.retention import delete_recording, forget
from workers.scheduler import dispatch_due, sweep
from workers.text_messages import sweep_texts, text_question
from workers.webhooks import deliver_webhook, forget_old_messages, sweep_webhooks

EVERY_SECOND = set(range(60))
EVERY_FIVE_SECONDS = set(range(0, 60, 5))


async def startup(ctx: dict[str, Any]) -> None:
    """Builds the worker's dependencies; they close with the worker."""
    configure_logs()
    stack = AsyncExitStack()
    ctx["stack"] = stack
    ctx["deps"] = await stack.enter_async_context(dependencies(Settings.load()))
    ctx["leases"] = leases = Leases(ctx["deps"].settings.job_lost_seconds)
    keeping = asyncio.create_task(leases.keep(ctx["redis"]))
    stack.callback(keeping.cancel)


async def shutdown(ctx: dict[str, Any]) -> None:
    """Closes what `startup` opened."""
    await ctx["stack"].aclose()


class WorkerSettings:
    """Read by arq. Rows are the truth and jobs only deliver, so no job is retried by arq itself."""

    redis_settings = RedisSettings.from_dsn(Settings.load().redis_url)
    functions: ClassVar = [
        # A result that is kept would keep its job id taken, and these ids are used again.
        func(place_call, keep_result=0, max_tries=1),
        func(analyse_call, keep_result=0, max_tries=1),
        func(hang_up_call, keep_result=0, max_tries=1),
        func(hang_up_stray, keep_result=0, max_tries=1),
        func(fetch_recording, keep_result=0, max_tries=1),
        func(delete_recording, keep_result=0, max_tries=1),
        func(dispatch_due, keep_result=0, max_tries=1),
        func(text_question, keep_result=0, max_tries=1),
        func(deliver_webhook, keep_result=0, max_tries=1),
    ]
    cron_jobs: ClassVar = [
        cron(dispatch_due, second=EVERY_SECOND, keep_result=0, max_tries=1),
        cron(expire_info_requests, second=EVERY_SECOND, keep_result=0, max_tries=1),
        cron(forget, minute=17, keep_result=0, max_tries=1),
        cron(sweep, second=EVERY_FIVE_SECONDS, keep_result=0, max_tries=1),
        cron(sweep_texts, second=EVERY_SECOND, keep_result=0, max_tries=1),
        cron(sweep_webhooks, second=EVERY_FIVE_SECONDS, keep_result=0, max_tries=1),
        cron(sweep_recordings, second=31, keep_result=0, max_tries=1),
        cron(forget_old_messages, minute=17, keep_result=0, max_tries=1),
    ]
    on_startup = startup
    on_shutdown = shutdown
    on_job_start = on_job_start
    on_job_end = on_job_end
    # For jobs that arq gives up by itself; kept for its hour, that verdict would block their ids.
    keep_result = 0
    max_jobs = 50
    poll_delay = 0.1
    job_timeout = 120
    job_completion_wait = 20
    health_check_interval = 5
