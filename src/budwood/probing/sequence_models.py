"""A fine-tuned encoder and what it has to beat, trained on the same sequences."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.model.adapters.adapted import AdaptedEncoder
from budwood.model.adapters.low_rank import LowRank
from budwood.model.checkpoint import Checkpoint
from budwood.model.encoder import BudwoodEncoder
from budwood.probing.sequence_baselines import KmerRegression, SequenceConvolution
from budwood.training.finetuning.fit import FitConfig, History, fit_network, read_network
from budwood.training.finetuning.outputs import Outputs
from budwood.training.finetuning.sequence_network import SequenceNetwork, Strand

#: The fine-tuned encoder, and the models beside it.
FINE_TUNED: Final = "fine-tuned"
SCRATCH: Final = "from scratch"
CONVOLUTION: Final = "convolution"
KMERS: Final = "k-mers"
MODELS: Final = (FINE_TUNED, SCRATCH, CONVOLUTION, KMERS)

#: Default peak learning rates of each way (docs/finetune.md has what was tried).
RATES: Final = {"full": 5e-4, "low-rank": 3e-3}
_CONVOLUTION_RATE: Final = 2e-3
_CONVOLUTION_EPOCHS: Final = 40
_CONVOLUTION_PATIENCE: Final = 8

Way = Literal["full", "low-rank"]


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """How the encoder is fine-tuned, and its rivals are trained.

    Attributes
    ----------
    way
        ``full`` trains every weight; ``low-rank`` an adapter.
    low_rank
        Size of the adapter.
    strand
        ``own`` reads the given strand alone; ``both`` averages the outputs of the two strands.
    fit
        Rates, passes and seed. The network from scratch has the rates of full fine-tuning.
    k
        Length of the k-mers.
    """

    way: Way = "full"
    low_rank: LowRank = field(default_factory=lambda: LowRank(rank=32, alpha=64.0))
    strand: Strand = "own"
    fit: FitConfig = field(default_factory=FitConfig)
    k: int = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Sequences with their truth, and which serve for what.

    Attributes
    ----------
    codes
        (rows, length) bases, padded on the right.
    truth
        (rows, names) values, NaN where unknown; or (rows, 1) numbers of classes.
    outputs
        What is predicted.
    training, validation
        Rows to learn from, and rows that determine when to stop.
    """

    codes: NDArray[np.uint8]
    truth: NDArray[np.float64]
    outputs: Outputs
    training: NDArray[np.intp]
    validation: NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceModel:
    """A fitted model of sequences.

    Attributes
    ----------
    name
        One of MODELS.
    read
        Turns (rows, length) codes into (rows, outputs) as a network gives them.
    trained
        Number of trained parameters.
    history
        Losses; None for k-mers.
    network
        The network with the encoder; None for the convolution and k-mers.
    adapted
        The encoder with the adapter, where that is what was trained.
    """

    name: str
    read: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
    trained: int
    history: History | None = None
    network: SequenceNetwork | None = None
    adapted: AdaptedEncoder | None = None


def fit_sequence_model(
    name: str, examples: Examples, checkpoint: Checkpoint, how: FineTuning, *, show: bool | None = None
) -> SequenceModel:
    """Train one of the models; the checkpoint stays as it is.

    Parameters
    ----------
    name
        One of MODELS.
    examples
        Sequences and truth.
    checkpoint
        Where fine-tuning starts; the network from scratch has its shape.
    how
        Rates, strands and seeds.
    show
        Draw a progress bar; by default on a terminal.

    Returns
    -------
    SequenceModel
        The fitted model.

    Raises
    ------
    BudwoodError
        If there is no such model, or the loss stops being a number.
    """
    if name == KMERS:
        # No pass over a validation part: the penalty is chosen by cross-validation within all of these rows.
        rows = np.concatenate([examples.training, examples.validation])
        kmers = KmerRegression(how.k, strand=how.strand)
        kmers.fit(examples.codes[rows], examples.truth[rows], examples.outputs)
        return SequenceModel(name=name, read=kmers.read, trained=examples.outputs.size * (4**how.k + 1))
    if name == CONVOLUTION:
        return _convolution(examples, how, show)
    if name == SCRATCH:
        encoder = _untrained(checkpoint, how.fit.seed)
        fit = replace(how.fit, learning_rate=RATES["full"]) if how.way != "full" else how.fit
        return _network(name, encoder, examples, replace(how, fit=fit), None, show)
    if name != FINE_TUNED:
        raise BudwoodError(f"there is no model {name!r}", mend=f"choose from {', '.join(MODELS)}")
    if how.way == "full":
        return _network(name, copy.deepcopy(checkpoint.encoder), examples, how, None, show)
    adapted = AdaptedEncoder(checkpoint)
    adapted.new("fine-tuned", how.low_rank, seed=how.fit.seed)
    adapted.train_only("fine-tuned")
    return _network(name, adapted.encoder, examples, how, adapted, show)


def _network(
    name: str,
    encoder: BudwoodEncoder,
    examples: Examples,
    how: FineTuning,
    adapted: AdaptedEncoder | None,
    show: bool | None,
) -> SequenceModel:
    device = encoder.device
    network = SequenceNetwork(encoder, examples.outputs.size, strand=how.strand, seed=how.fit.seed).to(device)
    history = fit_network(
        network,
        examples.codes,
        examples.outputs.targets(examples.truth),
        examples.outputs,
        training=examples.training,
        validation=examples.validation,
        config=how.fit,
        head=network.head.parameters(),
        label=name,
        show=show,
    )
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return SequenceModel(
        name=name,
        read=lambda codes: read_network(network, codes),
        trained=trained,
        history=history,
        network=network,
        adapted=adapted,
    )


def _convolution(examples: Examples, how: FineTuning, show: bool | None) -> SequenceModel:
    network = SequenceConvolution(examples.outputs.size, strand=how.strand, seed=how.fit.seed)
    config = FitConfig(
        learning_rate=_CONVOLUTION_RATE,
        batch=64,
        epochs=_CONVOLUTION_EPOCHS,
        patience=_CONVOLUTION_PATIENCE,
        warmup=0.02,
        seed=how.fit.seed,
    )
    history = fit_network(
        network,
        examples.codes,
        examples.outputs.targets(examples.truth),
        examples.outputs,
        training=examples.training,
        validation=examples.validation,
        config=config,
        label=CONVOLUTION,
        show=show,
    )
    trained = sum(p.numel() for p in network.parameters())
    return SequenceModel(
        name=CONVOLUTION, read=lambda codes: read_network(network, codes), trained=trained, history=history
    )


def _untrained(checkpoint: Checkpoint, seed: int) -> BudwoodEncoder:
    """An encoder of the same shape with first weights as pre-training has them."""
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    encoder = BudwoodEncoder(checkpoint.encoder.config)
    torch.set_rng_state(state)
    torch.nn.Module.to(encoder, checkpoint.device)
    return encoder
