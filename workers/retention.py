"""Jobs that delete what has been kept long enough, and files that belong to nothing any more."""

import time
from pathlib import Path
from typing import Any

import structlog

from opendeep_app.dependencies import Dependencies
from opendeep_app.services import recordings, retention

log = structlog.get_logger()

#: A file is younger than its row for as long as it takes to store it.
FRESH_SECONDS = 3600


async def forget(ctx: dict[str, Any]) -> int:
    """Deletes transcripts and recordings whose time is up; returns how many."""
    deps: Dependencies = ctx["deps"]
    settings, count = deps.settings, 0
    while True:
        async with deps.db.reading() as session:
            transcripts, sounds = await retention.expired(
                session,
                deps.clock(),
                settings.keep_transcripts_days,
                settings.keep_recordings_days,
            )
        for call_id in transcripts:
            async with deps.db.unit_of_work() as uow:
                await retention.forget_transcript(uow, call_id)
        for call_id in sounds:
            async with deps.db.unit_of_work() as uow:
                await retention.forget_recording(uow, call_id)
        count += len(transcripts) + len(sounds)
        if not transcripts and not sounds:
            break
    if count:
        log.info("data_deleted", count=count)
    await delete_orphaned_recordings(ctx)
    return count


async def delete_recording(ctx: dict[str, Any], name: str) -> None:
    """Deletes the file of a recording; one whose job was lost is found as an orphan."""
    deps: Dependencies = ctx["deps"]
    (recordings.directory(deps.settings) / Path(name).name).unlink(missing_ok=True)


async def delete_orphaned_recordings(ctx: dict[str, Any]) -> int:
    """Deletes the files that no call names, unless they may be about to be named."""
    deps: Dependencies = ctx["deps"]
    directory = recordings.directory(deps.settings)
    async with deps.db.reading() as session:
        named = await retention.recordings(session)
    orphans = [path for path in directory.iterdir() if path.name not in named and not _fresh(path)]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


def _fresh(path: Path) -> bool:
    return time.time() - path.stat().st_mtime < FRESH_SECONDS
