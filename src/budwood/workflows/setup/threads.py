"""How many threads linear algebra and the encoder use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: Environment variables by which users set the number of threads themselves.
SET_BY_USER: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
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
    if accessions >= MANY or any(os.environ.get(name) for name in SET_BY_USER):
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


@contextmanager
def one_core_each(threads: int | None, device: str) -> Iterator[int]:
    """Have every thread read windows on one core, instead of all cores reading each together.

    Where cores are shared with other work, those that read one window together wait for the slowest after
    each product and burn the time: beside four busy processes on two cores a batch took five to sixty times
    as long as on one core.

    Parameters
    ----------
    threads
        How many threads; where None, as many as PyTorch would use, for which ``OMP_NUM_THREADS`` counts.
    device
        Where the encoder runs; on GPUs one thread is enough.

    Yields
    ------
    int
        Number of threads to start.
    """
    import torch

    if device != "cpu":
        yield 1
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads or before
    finally:
        torch.set_num_threads(before)
