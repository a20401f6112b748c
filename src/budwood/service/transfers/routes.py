"""``/v1/transfers``: what was measured between species and populations, and the map over it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from budwood.report.pages.transfer_map import render_map
from budwood.service import schemas
from budwood.service.jobs.routes import SANDBOX
from budwood.service.plain_values import plain
from budwood.service.transfers.measured import map_of, transfer_jobs, transfer_rows
from budwood.service.transfers.schemas import MeasuredTransfers, TransferMap

router: Final = APIRouter(prefix="/v1/transfers", tags=["transfer"], responses=schemas.ERRORS)
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"text/html": {"schema": {"type": "string"}}},
        "description": "JSON, or with format=html the heat map of budwood transfer map",
    }
}
Species = Annotated[list[Annotated[str, Query(min_length=1, max_length=100)]] | None, Query(max_length=100)]


@router.get("", response_model=MeasuredTransfers)
def list_transfers(request: Request) -> dict[str, Any]:
    """Your finished jobs of the verb transfer-evaluate; all of them with the scope admin."""
    return {"transfers": transfer_rows(transfer_jobs(request))}


@router.get("/map", response_model=TransferMap, responses=_PAGE)
def transfer_map(
    request: Request, species: Species = None, format: Literal["json", "html"] = "json"
) -> Response | dict[str, Any]:
    """The compatibility map over them: source by target, gains with intervals, and what is untested."""
    found = map_of(transfer_jobs(request), species=species or ())
    sentences = ["no transfer was measured yet"] if found is None else found.sentences()
    record = {"cells": [], "predictor": None, "notes": []} if found is None else found.record()
    if format == "html":
        return HTMLResponse(render_map(record, sentences), headers={"Content-Security-Policy": SANDBOX})
    return {**plain(record), "sentences": sentences}
