"""Predictions written back to a BrAPI server: one variable, and an observation for each accession."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from budwood.artifacts import read_manifest
from budwood.errors import BudwoodError
from budwood.genomics.io.tables.accession_table import read_accession_column, read_accession_numbers
from budwood.service.brapi.client import BrapiClient, Record

_COLLECTOR: Final = "Budwood"


def write_predictions_back(
    client: BrapiClient, predictions: Path, *, study: str, germplasm: Path | None = None
) -> tuple[int, int]:
    """Add the predictions of a trait to a study, or change those that were added before.

    Parameters
    ----------
    client
        Of the server.
    predictions
        Folder that ``predict`` or ``apply`` wrote.
    study
        Id of the study that gets the observations.
    germplasm
        ``germplasm.csv`` that reading the study wrote; names are looked up on the server where None.

    Returns
    -------
    tuple of int
        Observations that were added, and that were changed.

    Raises
    ------
    BudwoodError
        If the folder holds no predictions, or an accession is not on the server.
    """
    trait = read_manifest(predictions).get("parameters", {}).get("trait")
    table = predictions / "predictions.csv"
    if not isinstance(trait, str) or not table.is_file():
        raise BudwoodError(
            "the folder holds no predictions", where=str(predictions), mend="give a folder of budwood predict"
        )
    # The text of the table, so that the server has the same digits.
    values = read_accession_column(table, "prediction")
    read_accession_numbers(table, "prediction")
    ids = _germplasm_ids(client, germplasm)
    lacking = [name for name in values if name not in ids]
    if lacking:
        raise BudwoodError(
            f"accession {lacking[0]!r} is not on the server ({len(lacking)} are not)",
            where=client.url,
            mend="give --germplasm with the table that reading the study wrote",
        )
    variable = _variable(client, trait)
    there = {
        str(each.get("germplasmDbId")): str(each["observationDbId"])
        for each in client.records(
            "observations", studyDbId=study, observationVariableDbId=variable["observationVariableDbId"]
        )
    }
    now = datetime.now(UTC).isoformat(timespec="seconds")
    records = {
        ids[name]: {
            "germplasmDbId": ids[name],
            "germplasmName": name,
            "observationVariableDbId": variable["observationVariableDbId"],
            "observationVariableName": variable["observationVariableName"],
            "studyDbId": study,
            "value": value,
            "collector": _COLLECTOR,
            "observationTimeStamp": now,
        }
        for name, value in values.items()
    }
    new = [record for id, record in records.items() if id not in there]
    known = {there[id]: record for id, record in records.items() if id in there}
    if new:
        client.create("observations", new)
    if known:
        client.change("observations", known)
    return len(new), len(known)


def variable_name(trait: str) -> str:
    """Name of the variable that holds predictions of a trait.

    Parameters
    ----------
    trait
        Name of the trait.

    Examples
    --------
    >>> variable_name("height")
    'height predicted by Budwood'
    """
    return f"{trait} predicted by {_COLLECTOR}"


def _variable(client: BrapiClient, trait: str) -> Record:
    name = variable_name(trait)
    for each in client.records("variables", observationVariableName=name):
        if each.get("observationVariableName") == name:
            return each
    made = client.create(
        "variables",
        [
            {
                "observationVariableName": name,
                "trait": {"traitName": name, "traitDescription": f"Predicted genetic value of {trait}"},
                "method": {"methodName": "genomic prediction", "methodClass": "Computation"},
                "scale": {"scaleName": f"scale of {trait}", "dataType": "Numerical"},
            }
        ],
    )
    if not made or not made[0].get("observationVariableDbId"):
        raise BudwoodError(
            "the server did not make a variable for the predictions", where=client.url, mend="check the token"
        )
    return made[0]


def _germplasm_ids(client: BrapiClient, germplasm: Path | None) -> dict[str, str]:
    if germplasm is not None:
        return read_accession_column(germplasm, "germplasm_id")
    ids: dict[str, str] = {}
    for each in client.records("germplasm"):
        name = str(each.get("germplasmName") or each["germplasmDbId"])
        if name in ids:
            raise BudwoodError(
                f"two germplasm records are called {name!r}", where=client.url, mend="give --germplasm"
            )
        ids[name] = str(each["germplasmDbId"])
    return ids
