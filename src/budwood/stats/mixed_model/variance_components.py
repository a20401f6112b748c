"""Variance components of a mixed model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VarianceComponents:
    """Estimates by restricted maximum likelihood.

    Attributes
    ----------
    kernels
        Variance multiplying each kernel, in the kernels' order; exactly 0 where a kernel explains nothing.
    residual
        Variance of a record of weight 1 around its genetic value.
    log_likelihood
        Log-likelihood of the (whitened) error contrasts at the estimates, constants included. Values of
        models with the same fixed effects and weights can be compared.
    """

    kernels: tuple[float, ...]
    residual: float
    log_likelihood: float
