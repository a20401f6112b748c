"""The index of a pandas Series, which pandas itself need not be there to read."""

from __future__ import annotations

from collections.abc import Iterable


def series_labels(values: object) -> list[object] | None:
    """Labels of a pandas Series or table, or of anything else that has an index.

    Parameters
    ----------
    values
        What a caller gave. The ``index`` of a list is a method, and counts as none.

    Returns
    -------
    list or None
        One label for each item; None if there is no index.

    Examples
    --------
    >>> import pandas
    >>> series_labels(pandas.Series([1.5, 2.0], index=["b", "a"])), series_labels([1.5, 2.0])
    (['b', 'a'], None)
    """
    labels = getattr(values, "index", None)
    return None if callable(labels) or not isinstance(labels, Iterable) else list(labels)
