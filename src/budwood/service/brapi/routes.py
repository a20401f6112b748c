"""``/brapi/v2``: predictions of finished jobs under BrAPI's read calls, for programs that speak it.

A finished job of predict or apply is a study; its accessions are the germplasm; the prediction is a variable,
and each predicted value an observation. Ids are ``JOB`` for a study, ``JOB:ROW`` for germplasm and
observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from budwood.service import schemas
from budwood.service.brapi.predictions_to_server import variable_name
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.ranked_table import read_ranked_table
from budwood.service.jobs.routes import own_job, visible_jobs
from budwood.service.jobs.states import State
from budwood.service.refusal import Refusal

router: Final = APIRouter(prefix="/brapi/v2", tags=["BrAPI"], responses=schemas.ERRORS)
_CALLS: Final = ("serverinfo", "studies", "germplasm", "variables", "observations", "lists")

Study = Annotated[str | None, Query(alias="studyDbId", max_length=100)]
Page = Annotated[int, Query(ge=0, le=1_000_000)]
PageSize = Annotated[int, Query(alias="pageSize", ge=1, le=10_000)]


@router.get("/serverinfo")
def server_info() -> dict[str, Any]:
    """The calls that are answered."""
    calls = [
        {"service": name, "methods": ["GET"], "versions": ["2.1"], "contentTypes": ["application/json"]}
        for name in _CALLS
    ]
    return _answer({"serverName": "Budwood", "serverDescription": "Predictions", "calls": calls})


@router.get("/studies")
def studies(request: Request, page: Page = 0, page_size: PageSize = 1000) -> dict[str, Any]:
    """Finished jobs with predictions."""
    found = []
    for folder in _predicted(request):
        record = folder.record()
        about = record.options.get("trait") or record.options.get("saved_model")
        found.append(
            {
                "studyDbId": folder.id,
                "studyName": f"{record.verb} {about}",
                "studyType": "genomic prediction",
                "startDate": record.created,
            }
        )
    return _paged(found, page, page_size)


@router.get("/germplasm")
def germplasm(
    request: Request, study: Study = None, page: Page = 0, page_size: PageSize = 1000
) -> dict[str, Any]:
    """Accessions of a study, or of all."""
    rows = [(id, row, cells) for id, row, cells in _rows(request, study)]
    found = [
        {"germplasmDbId": f"{id}:{row}", "germplasmName": cells["accession"], "germplasmPUI": f"{id}:{row}"}
        for id, row, cells in rows
    ]
    return _paged(found, page, page_size)


@router.get("/variables")
def variables(
    request: Request, study: Study = None, page: Page = 0, page_size: PageSize = 1000
) -> dict[str, Any]:
    """A variable for each trait that was predicted."""
    traits = dict.fromkeys(cells["trait"] for _, _, cells in _rows(request, study))
    found = [
        {
            "observationVariableDbId": variable_name(trait),
            "observationVariableName": variable_name(trait),
            "trait": {"traitName": trait},
            "method": {"methodName": "genomic prediction"},
            "scale": {"scaleName": f"scale of {trait}", "dataType": "Numerical"},
        }
        for trait in traits
    ]
    return _paged(found, page, page_size)


@router.get("/observations")
def observations(
    request: Request, study: Study = None, page: Page = 0, page_size: PageSize = 1000
) -> dict[str, Any]:
    """Predicted values, with standard error, reliability and 90 % interval beside them."""
    beside = ("standard_error", "reliability", "lower_90", "upper_90", "rank", "extrapolation")
    found = [
        {
            "observationDbId": f"{id}:{row}",
            "germplasmDbId": f"{id}:{row}",
            "germplasmName": cells["accession"],
            "observationVariableDbId": variable_name(cells["trait"]),
            "observationVariableName": variable_name(cells["trait"]),
            "studyDbId": id,
            "value": cells["prediction"],
            "additionalInfo": {name: cells[name] for name in beside},
        }
        for id, row, cells in _rows(request, study)
    ]
    return _paged(found, page, page_size)


@router.get("/lists")
def lists(request: Request, page: Page = 0, page_size: PageSize = 1000) -> dict[str, Any]:
    """A germplasm list for each finished job: its candidates, the best first."""
    found = [_list(folder, rows, with_data=False) for folder, rows in _readable(request)]
    return _paged(found, page, page_size)


@router.get("/lists/{id}")
def one_list(request: Request, id: str) -> dict[str, Any]:
    """One list with the ids of its germplasm."""
    folder = own_job(request, id)
    if not folder.has_ranking():
        raise Refusal(404, "this job has no predictions", where=folder.id, mend="see /brapi/v2/lists")
    return _answer(_list(folder, read_ranked_table(folder), with_data=True))


def _list(folder: JobFolder, rows: Sequence[dict[str, str]], *, with_data: bool) -> dict[str, Any]:
    record = folder.record()
    about = record.options.get("trait") or record.options.get("saved_model")
    ranked = sorted((int(row["rank"]), number) for number, row in enumerate(rows) if not row["observed"])
    ids = [f"{folder.id}:{number}" for _, number in ranked]
    found = {
        "listDbId": folder.id,
        "listName": f"candidates of {record.verb} {about}",
        "listType": "germplasm",
        "listSource": "Budwood",
        "listSize": len(ids),
        "dateCreated": record.created,
    }
    return found | ({"data": ids} if with_data else {})


def _predicted(request: Request) -> list[JobFolder]:
    """Finished jobs of the caller that have predictions."""
    done = [folder for folder, standing in visible_jobs(request) if standing.state is State.DONE]
    return [folder for folder in done if folder.has_ranking()]


def _rows(request: Request, study: str | None) -> list[tuple[str, int, dict[str, str]]]:
    """Job, number and cells of each predicted line."""
    if study is None:
        found = _readable(request)
    else:
        folder = own_job(request, study)
        if not folder.has_ranking():
            raise Refusal(404, "this job has no predictions", where=folder.id, mend="see /brapi/v2/studies")
        found = [(folder, read_ranked_table(folder))]
    return [(folder.id, number, cells) for folder, rows in found for number, cells in enumerate(rows)]


def _readable(request: Request) -> list[tuple[JobFolder, list[dict[str, str]]]]:
    """Finished jobs with their rankings; one whose files are removed now, or damaged, hides no other."""
    found = []
    for folder in _predicted(request):
        with suppress(Refusal):
            found.append((folder, read_ranked_table(folder)))
    return found


def _paged(found: Sequence[dict[str, Any]], page: int, size: int) -> dict[str, Any]:
    pagination = {
        "currentPage": page,
        "pageSize": size,
        "totalCount": len(found),
        "totalPages": -(-len(found) // size),
    }
    return _answer({"data": list(found[page * size : (page + 1) * size])}, pagination)


def _answer(result: dict[str, Any], pagination: dict[str, int] | None = None) -> dict[str, Any]:
    usual = {"currentPage": 0, "pageSize": 1, "totalCount": 1, "totalPages": 1}
    return {
        "metadata": {"pagination": pagination or usual, "status": [], "datafiles": []},
        "result": result,
    }
