"""Measured transfers of a service: finished jobs of ``transfer evaluate``, and the map over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import Request

from budwood.artifacts import verify_artifact
from budwood.errors import BudwoodError
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.routes import visible_jobs
from budwood.service.jobs.states import State
from budwood.workflows.transfer.map import MapOptions, MapResult, map_transfers

_FILE: Final = "transfer.json"


def transfer_jobs(request: Request) -> list[JobFolder]:
    """Finished transfers that the caller may see, the newest first.

    Parameters
    ----------
    request
        Who asks.

    Returns
    -------
    list of JobFolder
        Jobs with a ``transfer.json``.
    """
    done = [folder for folder, standing in visible_jobs(request) if standing.state is State.DONE]
    return [folder for folder in done if _FILE in folder.result_files() and _is_whole(folder)]


def _is_whole(folder: JobFolder) -> bool:
    """Whether the files of a result are as they were written; the map is drawn without any other."""
    try:
        return not verify_artifact(folder.result)
    except BudwoodError:
        return False


def transfer_rows(jobs: Sequence[JobFolder]) -> list[dict[str, Any]]:
    """Source, target, trait and outcome of each transfer.

    Parameters
    ----------
    jobs
        Finished transfers.

    Returns
    -------
    list of dict
        As :class:`budwood.service.transfers.schemas.MeasuredTransfer`.
    """
    rows = []
    for folder in jobs:
        record = json.loads((folder.result / _FILE).read_text(encoding="utf-8"))
        sides = {side: str(record[side]["name"]) for side in ("source", "target")}
        row = {"job": folder.id, **sides, "trait": str(record["target"]["trait"])}
        rows.append(row | {"outcome": str(record["outcome"]), "created": folder.record().created})
    return rows


def map_of(
    jobs: Sequence[JobFolder], *, species: Sequence[str] = (), tree: Path | None = None
) -> MapResult | None:
    """The transfer map over measured transfers.

    Parameters
    ----------
    jobs
        Finished transfers.
    species
        Further names to show as untested.
    tree
        Newick tree of the species, for distances.

    Returns
    -------
    MapResult or None
        None where nothing was measured.
    """
    folders = tuple(folder.result for folder in jobs)
    if not folders:
        return None
    return map_transfers(MapOptions(folders=folders, tree=tree, species=tuple(species)))
