"""Results as data frames, where pandas is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from budwood.errors import BudwoodError

if TYPE_CHECKING:
    import pandas


def data_frame(columns: Mapping[str, Any]) -> pandas.DataFrame:
    """A data frame of named columns.

    Parameters
    ----------
    columns
        Values by column, all of one length.

    Returns
    -------
    pandas.DataFrame
        The table.

    Raises
    ------
    BudwoodError
        If pandas is not installed.

    Examples
    --------
    >>> data_frame({"accession": ["a", "b"], "prediction": [1.0, 2.0]}).shape
    (2, 2)
    """
    try:
        import pandas
    except ImportError as error:
        raise BudwoodError(
            "data frames need pandas, which is not installed", mend="run pip install pandas"
        ) from error
    return pandas.DataFrame(dict(columns))
