"""A step's batch with its hidden spans, as tensors."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from meristem.corpus.sampler import WindowSampler
from meristem.training.objectives import ObjectiveConfig, as_tensors, hide_spans


def hidden_batch(
    sampler: WindowSampler, config: ObjectiveConfig, number: int, size: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Batch ``number`` in the order :class:`PretrainingObjective` takes it.

    The hidden spans, like the windows, depend on the sampler's seed and the number alone.
    """
    batch = sampler.batch(number, size)
    random = np.random.default_rng((sampler.seed, number, 1))
    return as_tensors(batch, hide_spans(batch.codes, config, random))
