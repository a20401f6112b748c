"""Predictions written back to a BrAPI server: one variable, and an observation for each accession."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from budwood.artifacts import read_manifest, require_unchanged
from budwood.errors import BudwoodError
from budwood.genomics.io.tables.accession_table import read_accession_column, read_accession_numbers
from budwood.genomics.io.tables.table import read_table
from budwood.service.brapi.client import BrapiClient, Record, odd_answers_refused

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
        If the folder holds no predictions or was changed since it was written, or an accession is not on the
        server.
    """
    trait = read_manifest(predictions).get("parameters", {}).get("trait")
    table = predictions / "predictions.csv"
    if not isinstance(trait, str) or not table.is_file():
        raise _no_predictions(predictions)
    require_unchanged(predictions, mend="predict again, or copy the folder again from its source")
    # The text of the table, so that the server has the same digits; a table for spreadsheets may have commas.
    read = read_accession_column(table, "prediction")
    values = {name: text.replace(",", ".") for name, text in read.items()}
    read_accession_numbers(table, "prediction")
    with odd_answers_refused(client):
        ids = _germplasm_ids(client, germplasm)
        _all_known(values, ids, client)
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


def write_list_back(
    client: BrapiClient,
    predictions: Path,
    *,
    name: str,
    best: int | None = None,
    germplasm: Path | None = None,
) -> int:
    """Write the ranked candidates as a germplasm list, or replace the list of that name.

    Parameters
    ----------
    client
        Of the server.
    predictions
        Folder that ``predict`` or ``apply`` wrote.
    name
        Name of the list.
    best
        How many candidates, from the best rank on; all where None.
    germplasm
        ``germplasm.csv`` that reading the study wrote; names are looked up on the server where None.

    Returns
    -------
    int
        Number of germplasm records in the list.

    Raises
    ------
    BudwoodError
        If the folder holds no ranking, an accession is not on the server, or two lists have the name.
    """
    names = ranked_candidates(predictions)[:best]
    with odd_answers_refused(client):
        ids = _germplasm_ids(client, germplasm)
        record: Record = {
            "listName": name,
            "listType": "germplasm",
            "listSource": _COLLECTOR,
            "listDescription": "Candidates by predicted value, the best first",
            "data": [ids[each] for each in _all_known(names, ids, client)],
        }
        there = [each for each in client.records("lists", listName=name) if each.get("listName") == name]
        if len(there) > 1 or (there and there[0].get("listType") not in (None, "germplasm")):
            raise BudwoodError(
                f"the server has another list {name!r}",
                where=client.url,
                mend="choose another name for --list",
            )
        if there:
            client.replace(f"lists/{there[0]['listDbId']}", record)
        else:
            client.create("lists", [record])
        return len(names)


def ranked_candidates(predictions: Path) -> list[str]:
    """Accessions without an observed value, the best rank first.

    Parameters
    ----------
    predictions
        Folder that ``predict`` or ``apply`` wrote.

    Returns
    -------
    list of str
        Their names.

    Raises
    ------
    BudwoodError
        If the folder holds no ranking.
    """
    path = predictions / "predictions.csv"
    if not path.is_file():
        raise _no_predictions(predictions)
    table = read_table(path)
    rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    if not {"accession", "observed", "rank"} <= set(table.header):
        raise _no_predictions(predictions)
    candidates = [row for row in rows if not row["observed"]]
    return [row["accession"] for row in sorted(candidates, key=lambda row: int(row["rank"]))]


def _no_predictions(folder: Path) -> BudwoodError:
    return BudwoodError(
        "the folder holds no predictions", where=str(folder), mend="give a folder of budwood predict"
    )


def _all_known(names: Collection[str], ids: Mapping[str, str], client: BrapiClient) -> Collection[str]:
    """The names, once each is known to be on the server."""
    lacking = [name for name in names if name not in ids]
    if lacking:
        raise BudwoodError(
            f"accession {lacking[0]!r} is not on the server ({len(lacking)} are not)",
            where=client.url,
            mend="give --germplasm with the table that reading the study wrote",
        )
    return names


def variable_name(trait: str) -> str:
    """Name of the variable that holds predictions of a trait.

    Parameters
    ----------
    trait
        Name of the trait.

    Returns
    -------
    str
        The name.

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
