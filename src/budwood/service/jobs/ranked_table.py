"""The ranking that a finished job wrote, and results that may be removed while they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.table import read_table
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.prediction.evaluation.results import PREDICTION_COLUMNS
from budwood.service.jobs.job_folder import RANKED_FILE, JobFolder
from budwood.service.refusal import Refusal

#: Columns of a ranking that hold numbers.
NUMBERS: Final = frozenset(PREDICTION_COLUMNS) - {
    *("accession", "trait", "nearest_training_accession", "extrapolation")
}


def read_ranked_table(folder: JobFolder) -> list[dict[str, str]]:
    """Rows of predictions.csv.

    Parameters
    ----------
    folder
        A finished job with a ranking.

    Returns
    -------
    list of dict
        Cells by column, numbers with decimal points; best first.

    Raises
    ------
    Refusal
        If the files of the job are removed meanwhile, or the table is damaged.
    """
    with reading_result(folder):
        table = read_table(folder.result / RANKED_FILE)
        rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
        if dialect_of(folder) is CsvDialect.EXCEL_DE:
            rows = [
                {name: cell.replace(",", ".") if name in NUMBERS else cell for name, cell in row.items()}
                for row in rows
            ]
        if not set(PREDICTION_COLUMNS) <= set(table.header):
            raise BudwoodError("columns lack", where=RANKED_FILE)
        for row in rows:
            for name in NUMBERS & set(row):
                float(row[name] or 0)
    return rows


def dialect_of(folder: JobFolder) -> CsvDialect:
    """How a job was asked to write its tables.

    Parameters
    ----------
    folder
        The job.

    Returns
    -------
    CsvDialect
        That of scripts where nothing was asked for.
    """
    return CsvDialect(str(folder.record().options.get("csv_dialect", CsvDialect.PLAIN)))


@contextmanager
def reading_result(folder: JobFolder) -> Iterator[None]:
    """Say of a result that cannot be read whether it was removed or is damaged.

    Parameters
    ----------
    folder
        The job whose files the body reads.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    Refusal
        With status 404 where the files were removed, else 422. Refusals of the body stay as they are.
    """
    try:
        yield
    except Refusal:
        raise
    except (BudwoodError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if folder.is_expired or not folder.path.exists():
            raise Refusal(
                404, "the files of this job were removed", where=folder.id, mend="start the job again"
            ) from error
        raise Refusal(
            422, "the result of this job is damaged", where=folder.id, mend="start the job again"
        ) from error
