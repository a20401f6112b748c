"""Files of jobs that ended days ago are removed."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from typing import Final

from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.states import ENDED
from budwood.service.settings import ServiceSettings

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_log = logging.getLogger("budwood.service")


async def remove_expired(settings: ServiceSettings, queue: JobQueue) -> None:
    """Remove what has expired, every hour until cancelled.

    Parameters
    ----------
    settings
        How long files are kept.
    queue
        Knows which jobs have ended.
    """
    while True:
        await asyncio.sleep(_HOUR)
        try:
            await asyncio.to_thread(remove_ended_before, queue, time.time() - settings.kept_days * _DAY)
            await asyncio.to_thread(remove_drafts_before, queue, time.time() - _DAY)
        except Exception as error:  # a database that is away for an hour must not end this for ever
            _log.warning("expired jobs were not removed: %s", error)


def remove_ended_before(queue: JobQueue, moment: float) -> list[str]:
    """Remove uploads and results of jobs that ended before a moment.

    Parameters
    ----------
    queue
        Knows which jobs have ended.
    moment
        Seconds since 1970.

    Returns
    -------
    list of str
        Ids of the jobs.
    """
    folders = {folder.id: folder for folder in JobFolder.every(queue.jobs) if not folder.is_expired}
    removed = []
    for id, standing in queue.standings(list(folders.values())).items():
        if standing.state in ENDED and standing.ended is not None and standing.ended < moment:
            folders[id].remove_files()
            removed.append(id)
    return removed


def remove_drafts_before(queue: JobQueue, moment: float) -> list[str]:
    """Remove files that were uploaded before a moment and have not become a job.

    Parameters
    ----------
    queue
        Names the folder.
    moment
        Seconds since 1970.

    Returns
    -------
    list of str
        Names of the folders.
    """
    if not queue.jobs.is_dir():
        return []
    drafts = [path for path in queue.jobs.iterdir() if not (path / "job.json").exists()]
    old = [path for path in drafts if path.stat().st_mtime < moment]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in old]
