"""Jobs on the page: the list, one job, its ranking and shortlist."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budwood.genomics.io.text.csv_writer import write_csv
from budwood.library.card import PROVENANCES
from budwood.prediction.evaluation.results import PREDICTION_COLUMNS
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.ranked_table import dialect_of, read_ranked_table
from budwood.service.jobs.routes import describe_job, own_job, visible_jobs
from budwood.service.jobs.states import ENDED
from budwood.service.pages.contributions import can_attribute, has_contributions
from budwood.service.pages.layout import page
from budwood.service.pages.library_pages import makes_model
from budwood.service.pages.ranking import Filters, Ranking, filtered, shortlist_rows
from budwood.service.refusal import Refusal

router: Final = APIRouter(prefix="/jobs", include_in_schema=False)
_MOST_SHOWN: Final = 200


@router.get("")
def list_jobs(request: Request) -> HTMLResponse:
    """Jobs, the newest first."""
    shown = [(folder.record(), standing) for folder, standing in visible_jobs(request)[:_MOST_SHOWN]]
    return page(request, "jobs.html", title="Jobs", jobs=shown)


@router.get("/{id}")
def show_job(request: Request, id: str) -> HTMLResponse:
    """One job: where it stands, its files, its report."""
    folder = own_job(request, id)
    job = describe_job(request, id)
    events = [event for _, event in folder.events_after()]
    progress = [event for event in events if event["kind"] == "progress"]
    estimates = [event["text"] for event in events if event["kind"] == "estimate"]
    return page(
        request,
        "job.html",
        title=_title(job),
        job=job,
        has_ranking=folder.has_ranking(),
        has_contributions=has_contributions(folder),
        can_attribute=can_attribute(folder),
        makes_model=makes_model(folder),
        provenances=PROVENANCES,
        ended=job["state"] in ENDED,
        progress=progress[-1] if progress else None,
        estimates=estimates,
    )


@router.post("/{id}/cancel")
def cancel_job(request: Request, id: str) -> Response:
    """Cancel a job that waits or runs."""
    queue: JobQueue = request.app.state.queue
    queue.cancel(own_job(request, id))
    return RedirectResponse(f"/jobs/{id}", 303)


@router.post("/{id}/remove")
def remove_files(request: Request, id: str) -> Response:
    """Remove the files of a job that has ended."""
    queue: JobQueue = request.app.state.queue
    folder = own_job(request, id)
    if queue.standing(folder).state in ENDED:
        folder.remove_files()
    return RedirectResponse(f"/jobs/{id}", 303)


@router.get("/{id}/ranking")
def show_ranking(request: Request, id: str, filters: Annotated[Filters, Query()]) -> HTMLResponse:
    """The ranking, filtered, and a shortlist to tick."""
    ranking = _ranking(request, id, filters)
    title = f"Ranking for {ranking.trait}"
    return page(request, "ranking.html", title=title, ranking=ranking, filters=filters, id=id)


@router.get("/{id}/shortlist.csv")
def shortlist(
    request: Request,
    id: str,
    filters: Annotated[Filters, Query()],
    accession: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """The ticked lines, or all that pass the filters, as a table."""
    ranking = _ranking(request, id, filters)
    rows = shortlist_rows(ranking, accession or [])
    with tempfile.TemporaryDirectory(prefix="budwood-shortlist-") as made:
        path = Path(made) / "shortlist.csv"
        write_csv(path, PREDICTION_COLUMNS, rows, dialect=dialect_of(own_job(request, id)))
        text = path.read_bytes()
    headers = {"Content-Disposition": 'attachment; filename="shortlist.csv"'}
    return Response(text, media_type="text/csv", headers=headers)


def _title(job: dict[str, Any]) -> str:
    """Such as ``Predict: height``."""
    about = job["options"].get("trait") or job["options"].get("saved_model") or job["options"].get("name")
    return job["verb"].replace("-", " ").capitalize() + (f": {about}" if about else "")


def _ranking(request: Request, id: str, filters: Any) -> Ranking:
    folder = own_job(request, id)
    if not folder.has_ranking():
        raise Refusal(404, "this job has no ranking", mend=f"see /jobs/{id}")
    # Fields of the shortlist form beside the filters are not filters.
    return filtered(read_ranked_table(folder), filters)
