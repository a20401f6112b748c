"""``/v1/jobs``: start, follow, cancel, read results."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Form, Header, Query, Request, UploadFile
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from sqlalchemy.exc import OperationalError
from starlette.datastructures import UploadFile as SentFile

from budwood.service import schemas
from budwood.service.access.gate import caller_of
from budwood.service.access.scopes import Scope
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.job_queue import JobQueue, Standing
from budwood.service.jobs.ranked_table import reading_result
from budwood.service.jobs.schemas import Job, Jobs
from budwood.service.jobs.states import ENDED, State
from budwood.service.jobs.submission import read_options, submit
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings
from budwood.service.uploads import in_turn

router: Final = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=schemas.ERRORS)
_POLL: Final = 0.5
#: Seconds after which a quiet stream says that it is there.
_SIGN: Final = 15.0
#: A report runs its own script and nothing of this site's.
SANDBOX: Final = "sandbox allow-scripts allow-downloads; default-src 'none'; style-src 'unsafe-inline'; " + (
    "script-src 'unsafe-inline'; img-src data:"
)

Upload = Annotated[UploadFile | None, File()]
#: One file, or a PLINK trio.
Uploads = Annotated[list[UploadFile] | None, File()]


@router.post("", status_code=202, response_model=Job)
async def start_job(
    request: Request,
    options: Annotated[str, Form(description="JSON: the verb and its options")],
    genotypes: Annotated[list[UploadFile] | None, File(description="A file, or a PLINK trio")] = None,
    phenotypes: Upload = None,
    reference: Upload = None,
    haplotypes: Upload = None,
    marker_map: Upload = None,
    ploidies: Upload = None,
    annotation: Upload = None,
    marker_weights: Upload = None,
    subgenomes: Upload = None,
    environments: Upload = None,
    covariates: Upload = None,
    tracks: Annotated[list[UploadFile] | None, File(description="BED or bedGraph, one or several")] = None,
    groups: Upload = None,
    candidates: Upload = None,
    costs: Upload = None,
    fasta: Upload = None,
    bed: Upload = None,
    vcf: Upload = None,
    regions: Upload = None,
    other: Upload = None,
    other_annotation: Upload = None,
    target_genotypes: Uploads = None,
    target_phenotypes: Upload = None,
    target_reference: Upload = None,
    target_map: Upload = None,
    target_genes: Upload = None,
    target_scores: Upload = None,
    source_genotypes: Uploads = None,
    source_phenotypes: Upload = None,
    source_reference: Upload = None,
    source_map: Upload = None,
    source_genes: Upload = None,
    source_scores: Upload = None,
    orthologs: Upload = None,
    blocks: Upload = None,
) -> Response:
    """Start a job of one of the verbs, with uploaded files under the names of its options.

    Files of a second source of a transfer, and of further ones, end in its number: source_genotypes_2,
    orthologs_2.
    """
    uploads: dict[str, list[Any]] = {}
    for role, sent in (await request.form()).multi_items():  # those with a number are no parameters
        if isinstance(sent, SentFile):
            uploads.setdefault(role, []).append(sent)
    settings: ServiceSettings = request.app.state.settings
    queue: JobQueue = request.app.state.queue
    owner = caller_of(request.state).name
    folder = await in_turn(request, submit, settings, queue, read_options(options), uploads, owner)
    return await asyncio.to_thread(accepted, folder, queue)


@router.get("", response_model=Jobs)
def list_jobs(request: Request, most: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    """Your jobs, the newest first; all jobs with a key of the scope admin."""
    return {"jobs": [_described(*each) for each in visible_jobs(request)[:most]]}


@router.get("/{id}", response_model=Job)
def show_job(request: Request, id: str) -> dict[str, Any]:
    """Where a job stands, and the names of its result files."""
    return describe_job(request, id)


@router.get("/{id}/events", responses={200: {"content": {"text/event-stream": {}}}})
async def follow_job(
    request: Request,
    id: str,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """Follow a job: server-sent events of its states, estimates and progress, until it has ended."""
    folder = await asyncio.to_thread(own_job, request, id)
    first = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 10 else after
    stream = _events(folder, request.app.state.queue, first)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.post("/{id}/cancel", response_model=Job)
def cancel_job(request: Request, id: str) -> dict[str, Any]:
    """Cancel a job that waits or runs; one that has ended stays as it is."""
    queue: JobQueue = request.app.state.queue
    folder = own_job(request, id)
    queue.cancel(folder)
    return _described(folder, queue.standing(folder))


@router.delete("/{id}", response_model=Job)
def remove_files(request: Request, id: str) -> dict[str, Any]:
    """Remove the uploaded files and the result of a job that has ended."""
    queue: JobQueue = request.app.state.queue
    folder = own_job(request, id)
    if queue.standing(folder).state not in ENDED:
        raise Refusal(409, "the job has not ended", where=id, mend="cancel it first")
    folder.remove_files()
    return _described(folder, queue.standing(folder))


@router.get("/{id}/files/{name:path}", response_class=FileResponse)
def result_file(request: Request, id: str, name: str) -> FileResponse:
    """A file of the result, such as predictions.csv or report.html."""
    folder = own_job(request, id)
    names = folder.result_files()
    if name not in names:
        listed = ", ".join(names) or "none, as long as the job is not done"
        raise Refusal(404, f"the result has no file {name[:80]!r}", where=id, mend=f"its files: {listed}")
    path = folder.result / name
    if not path.is_file():
        with reading_result(folder):
            raise FileNotFoundError(path)
    headers = {"Content-Security-Policy": SANDBOX} if name.endswith(".html") else {}
    shown = name.endswith((".html", ".json"))
    kind = "inline" if shown else "attachment"
    return FileResponse(path, filename=name, content_disposition_type=kind, headers=headers)


def accepted(folder: JobFolder, queue: JobQueue) -> Response:
    """The answer to who started a job: status 202 and where it is.

    Parameters
    ----------
    folder, queue
        The job, and who knows where it stands.

    Returns
    -------
    Response
        The job as JSON, with the header ``Location``.
    """
    described = _described(folder, queue.standing(folder))
    return JSONResponse(described, 202, headers={"Location": f"/v1/jobs/{folder.id}"})


def own_job(request: Request, id: str) -> JobFolder:
    """A job that the caller may see.

    Parameters
    ----------
    request
        Who asks.
    id
        Of the job.

    Returns
    -------
    JobFolder
        The job.

    Raises
    ------
    Refusal
        If there is none, or it is somebody else's: the answer is the same.
    """
    queue: JobQueue = request.app.state.queue
    caller, folder = caller_of(request.state), JobFolder.find(queue.jobs, id)
    if folder is None or not (Scope.ADMIN in caller.scopes or folder.record().owner == caller.name):
        raise Refusal(404, "there is no such job", where=id[:80], mend="see GET /v1/jobs")
    return folder


def visible_jobs(request: Request) -> list[tuple[JobFolder, Standing]]:
    """Jobs that the caller may see, with where they stand, the newest first.

    Parameters
    ----------
    request
        Who asks.

    Returns
    -------
    list of tuple
        Job and standing.
    """
    queue: JobQueue = request.app.state.queue
    caller = caller_of(request.state)
    everything = Scope.ADMIN in caller.scopes
    mine = [each for each in JobFolder.every(queue.jobs) if everything or each.record().owner == caller.name]
    known = queue.standings(mine)
    return [(each, known.get(each.id, Standing(State.QUEUED))) for each in mine]


def describe_job(request: Request, id: str) -> dict[str, Any]:
    """A job as answers have it.

    Parameters
    ----------
    request
        Who asks.
    id
        Of the job.

    Returns
    -------
    dict
        As :class:`budwood.service.jobs.schemas.Job`.
    """
    queue: JobQueue = request.app.state.queue
    folder = own_job(request, id)
    return _described(folder, queue.standing(folder))


def _described(folder: JobFolder, standing: Standing) -> dict[str, Any]:
    record = folder.record()
    return {
        "id": record.id,
        "verb": record.verb,
        "options": dict(record.options),
        "files": dict(record.files),
        "owner": record.owner,
        "created": record.created,
        "state": standing.state,
        "error": None if standing.error is None else dict(standing.error),
        "result": folder.result_files() if standing.state is State.DONE else [],
    }


async def _events(folder: JobFolder, queue: JobQueue, after: int) -> AsyncIterator[str]:
    quiet, sent = 0.0, None
    while True:
        # Where it stands is read before the events, so that an end comes after all of them.
        try:
            standing = await asyncio.to_thread(queue.standing, folder)
        except OperationalError:  # the database is away: the client waits with us
            standing = None
        for number, event in await asyncio.to_thread(folder.events_after, after):
            after, quiet = number, 0.0
            yield f"id: {number}\nevent: {event['kind']}\ndata: {json.dumps(event)}\n\n"
        if standing is not None and standing.state != sent:
            sent = standing.state
            described = await asyncio.to_thread(_described, folder, standing)
            yield f"event: job\ndata: {json.dumps(described)}\n\n"
        if standing is not None and standing.state in ENDED:
            return
        await asyncio.sleep(_POLL)
        quiet += _POLL
        if quiet >= _SIGN:
            quiet = 0.0
            yield ": still here\n\n"
