"""Contributions along the genome of a finished attribution: of all lines, or of one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import suggestion
from budwood.genomics.io.tables.table import read_table
from budwood.report.pictures.genome_plot import GenomePlot, genome_plot
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.ranked_table import reading_result
from budwood.service.refusal import Refusal

_FILE: Final = "contributions.npy"
#: Models whose predictions are sums over windows.
_ADDITIVE: Final = ("", "gblup", "gblup+dna", "elastic-net", "bayes-c")
_SHOWN: Final = 25


@dataclass(frozen=True, kw_only=True)
class WindowLine:
    """A window in the table below the picture.

    Attributes
    ----------
    place
        Contig and 1-based interval.
    value
        Importance, or the contribution to the chosen line.
    in_region
        Whether it lies in a region that was given.
    """

    place: str
    value: float
    in_region: bool


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """A picture along the genome and the windows that stand out in it.

    Attributes
    ----------
    trait, model
        What is predicted, and by which model.
    accession
        The line whose prediction is split; empty for all.
    accessions
        Lines to choose from.
    plot
        The picture.
    windows
        The largest, in order.
    total
        Number of windows.
    mean, prediction
        Mean of the training lines and prediction of the chosen line; None without one.
    """

    trait: str
    model: str
    accession: str
    accessions: Sequence[str]
    plot: GenomePlot
    windows: Sequence[WindowLine]
    total: int
    mean: float | None
    prediction: float | None


def has_contributions(folder: JobFolder) -> bool:
    """Whether a job has split predictions into contributions.

    Parameters
    ----------
    folder
        The job.

    Returns
    -------
    bool
        Whether there is something to show.
    """
    return _FILE in folder.result_files()


def can_attribute(folder: JobFolder) -> bool:
    """Whether the predictions of a job can be split by another job with the same files.

    Parameters
    ----------
    folder
        The job.

    Returns
    -------
    bool
        Whether its model is a sum over windows.
    """
    record = folder.record()
    return (
        record.verb == "predict"
        and folder.has_ranking()
        and str(record.options.get("model") or "") in _ADDITIVE
    )


def read_contributions(folder: JobFolder, accession: str = "") -> Contributions:
    """Read the result of an attribution.

    Parameters
    ----------
    folder
        A finished job of the verb attribute.
    accession
        The line whose prediction is shown; empty for the importance over all lines.

    Returns
    -------
    Contributions
        Picture and table.

    Raises
    ------
    Refusal
        If the job has no contributions, or there is no such line.
    """
    if not has_contributions(folder):
        raise Refusal(404, "this job has no contributions", mend=f"see /jobs/{folder.id}")
    with reading_result(folder):
        return _read(folder, accession)


def _read(folder: JobFolder, accession: str) -> Contributions:
    table = read_table(folder.result / "windows.csv")
    columns = {name: [row[k] for row in table.rows] for k, name in enumerate(table.header)}
    contigs = np.array(columns["contig"], dtype=np.str_)
    starts, ends = (np.array(columns[name], dtype=np.int64) for name in ("start", "end"))
    inside = np.array([each == "yes" for each in columns["in_region"]], dtype=np.bool_)
    values = np.array(columns["importance"], dtype=np.float64)
    marked, y_title = inside, "importance"
    lines = read_table(folder.result / "predictions.csv")
    names = [row[0] for row in lines.rows]
    mean = prediction = None
    if accession:
        if accession not in names:
            raise Refusal(
                404, f"there is no line {accession[:80]!r}", where="line", mend=suggestion(accession, names)
            )
        row = names.index(accession)
        with (folder.result / _FILE).open("rb") as handle:
            values = np.load(handle, allow_pickle=False)[row].astype(np.float64)
        cells = dict(zip(lines.header, lines.rows[row], strict=True))
        prediction, mean = float(cells["prediction"]), float(cells["mean"])
        marked, y_title = values < 0, "contribution (size)"
    record: dict[str, Any] = json.loads((folder.result / "attribution.json").read_text(encoding="utf-8"))
    order = np.argsort(-np.abs(values), kind="stable")[:_SHOWN]
    return Contributions(
        trait=record["trait"],
        model=record["model"],
        accession=accession,
        accessions=sorted(names),
        plot=genome_plot(
            _lengths(contigs, ends),
            contigs,
            starts,
            np.abs(values),
            marked=marked,
            description=f"{y_title} of {len(values)} windows along the genome",
            y_title=y_title,
        ),
        windows=[
            WindowLine(
                place=f"{contigs[w]}:{starts[w] + 1:,}\u2013{ends[w]:,}",
                value=float(values[w]),
                in_region=bool(inside[w]),
            )
            for w in order.tolist()
        ],
        total=len(values),
        mean=mean,
        prediction=prediction,
    )


def _lengths(contigs: NDArray[np.str_], ends: NDArray[np.int64]) -> dict[str, int]:
    """The end of the last window of each contig, in the order of the table."""
    found: dict[str, int] = {}
    for contig, end in zip(contigs.tolist(), ends.tolist(), strict=True):
        found[contig] = max(found.get(contig, 0), end)
    return found
