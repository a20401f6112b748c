"""Whether a saved model predicts: it is tried on two of its own training lines when it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.prediction.kernels.training_lines import TrainingLines
from budwood.prediction.saved.record import damaged

#: A name that no accession has.
_NEW: Final = "\0new line"


def try_prediction(
    training: TrainingLines,
    predict: Callable[[Genotypes, HaplotypeTable | None], tuple[NDArray[np.float64], ...]],
    where: str,
) -> None:
    """Predict two training lines, the second as a new line of which one call is missing.

    Parameters
    ----------
    training
        The training lines of the model.
    predict
        Gives value, standard error, lower and upper end of the interval of genotypes with their haplotypes.
    where
        The file, for the message.

    Raises
    ------
    BudwoodError
        If the prediction fails, is no number, or lies outside its interval.
    """
    rows = np.array([0, min(1, len(training.accessions) - 1)])
    dosage = training.dosage[rows].copy()
    dosage[1, :1] = -1 if dosage.dtype.kind == "i" else np.nan
    names = (training.accessions[0], _NEW)
    genotypes = Genotypes(names, training.markers, dosage, training.ploidy[rows])
    haplotypes = training.haplotypes
    try:
        table = None if haplotypes is None else haplotypes.table(rows, names)
        with np.errstate(all="ignore"):
            value, error, lower, upper = predict(genotypes, table)
    except MemoryError:
        raise
    except BudwoodError as problem:
        raise damaged(f"it cannot predict its own training lines ({problem.what})", where=where) from problem
    except Exception as problem:
        # Whatever the parts of a damaged model raise, it means the same: the model is of no use.
        raise damaged(f"it cannot predict its own training lines ({problem})", where=where) from problem
    if not all(np.isfinite(each).all() for each in (value, error, lower, upper)):
        raise damaged("its predictions are no numbers", where=where)
    # An interval of no width loses its value to rounding.
    slack = 1e-9 * np.maximum(np.abs(value), np.abs(upper - lower))
    if np.any(error < 0.0) or np.any(lower > value + slack) or np.any(upper < value - slack):
        raise damaged("its predictions lie outside their intervals", where=where)
