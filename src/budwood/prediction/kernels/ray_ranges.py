"""Ranges of markers on a Ray cluster (extra ``ray``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.stages.ray_runner import connect
from budwood.errors import BudwoodError
from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.matrix_free.marker_ranges import range_product

Matrix = NDArray[np.float64]


class RayRanges:
    """Has ranges of markers multiplied by the workers of a cluster, one core each.

    The calls of each range are sent to the cluster's memory once, where workers find them in every pass: they
    need no files. A product whose worker dies is made again elsewhere.

    Parameters
    ----------
    address
        As for :func:`budwood.corpus.stages.ray_runner.connect`.
    """

    def __init__(self, address: str) -> None:
        self._ray = ray = connect(address)
        # Every retry is safe: products depend on nothing but the arguments.
        self._remote = ray.remote(max_retries=-1)(range_product)

    def hold(self, each: CentredMarkers) -> Any:
        """Send a range to the cluster.

        Parameters
        ----------
        each
            The range, with its calls.

        Returns
        -------
        ObjectRef
            What stands for it.
        """
        return self._ray.put(each)

    def run(self, product: str, held: Sequence[Any], columns: Sequence[Matrix], exact: bool) -> Iterator[Any]:
        """:func:`~budwood.stats.matrix_free.marker_ranges.range_product` of each range, in their order.

        Parameters
        ----------
        product
            Its name.
        held
            Ranges.
        columns
            For each range, or the same ones for all where there is one.
        exact
            Whether to multiply in double precision.

        Yields
        ------
        ndarray
            The product.

        Raises
        ------
        BudwoodError
            If a worker refuses its data.
        """
        sent = [self._ray.put(each) for each in columns]
        pending = [
            self._remote.remote(product, each, sent[place if len(sent) > 1 else 0], exact)
            for place, each in enumerate(held)
        ]
        try:
            for place in range(len(pending)):
                # The reference is given up, so that the cluster may forget what has been summed.
                yield self._ray.get(pending[place])
                pending[place] = None
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise cause if isinstance(cause, BudwoodError) else error from error
        finally:
            for reference in pending:
                if reference is not None:
                    self._ray.cancel(reference)
