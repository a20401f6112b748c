"""How many threads linear algebra and the encoder use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from budwood.config import THREAD_VARIABLES

#: Accessions from which more than one thread shortens the fits.
MANY: Final = 2000


@contextmanager
def blas_threads(accessions: int) -> Iterator[None]:
    """Limit the threads of linear algebra while trait statistics run.

    Matrices of a few hundred accessions are too small for several threads: the threads wait for one another,
    which multiplies the processor time and saves none. Below :data:`MANY` accessions one thread is used,
    above it as many as the library likes. PyTorch keeps its threads, and a number set in the environment
    counts.

    Parameters
    ----------
    accessions
        Size of the matrices.

    Yields
    ------
    None
        While the limit holds.
    """
    if accessions >= MANY or any(os.environ.get(name) for name in THREAD_VARIABLES):
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
