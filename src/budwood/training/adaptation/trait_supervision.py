"""Trait supervision: an adapter learns from the trait values of a panel, all accessions at once.

With E_w the vectors of window w's sequences minus the reference's, and Z_w the shares of an accession's
copies that carry each, the embedding kernel is K = sum_w Z_w E_w E_w' Z_w'. Under a mixed model with the
relationship alone, y ~ N(X b, V), the score statistic of a variance component of K is y'P K P y, whose mean
is tr(P K), with P = V^-1 - V^-1 X (X' V^-1 X)^-1 X' V^-1 (Lin 1997, Biometrika 84:309). Both are sums over
windows:

    y'P K P y = sum_w |E_w' Z_w' P y|^2        tr(P K) = sum_w tr(E_w' (Z_w' P Z_w) E_w)

Their ratio is 1 on average where the windows explain nothing beyond the relationship, whatever the vectors,
and the adapter is trained to raise it. A batch is a few windows: their distinct sequences are encoded with
gradient, once each, and all accessions enter through Z_w' P y and Z_w' P Z_w, which are made once. So the
cost does not grow with the number of accessions. Haplotypes of a window often differ in a single base, so the
ratios that determine what is kept are of float32 vectors; steps may multiply in bfloat16, whose rounding of
gradients is small beside the noise of a batch of windows (docs/adapters.md).
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from torch import Tensor, nn

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.model.encoder import BudwoodEncoder, pool_weights, reverse_complement_tokens
from budwood.progress import progress
from budwood.stats.mixed_model.reml import reml

#: Windows whose products with P are held at once.
_TOGETHER: Final = 256
#: Windows at most that the ratios are of: reading all of a large panel would cost as much as a pass.
FOLLOWED: Final = 512
#: Windows read in training unless told otherwise, in 1 to 4 passes, and ratios taken on the way.
_ENOUGH: Final = 20_000
LOOKS: Final = 4
_FEWEST: Final = 20


@dataclass(frozen=True, kw_only=True)
class Supervision:
    """How an adapter learns from trait values.

    Attributes
    ----------
    passes, windows
        Passes over all windows, and windows of one step. Passes are 4 where None, or as many as read 20,000
        windows, and at least 1. Ratios are taken after each pass, and four times at least.
    learning_rate
        Peak rate of AdamW.
    precision
        Of the products of a step, ``bf16`` or ``float32``; the ratios are of float32 vectors.
    validation_share
        Share of the phenotyped accessions that determines which weights are kept.
    patience
        Ratios on these in a row that are no higher before training stops.
    seed
        Order of the windows, strands, and which accessions are for validation.

    Raises
    ------
    BudwoodError
        If a number is out of range.
    """

    passes: int | None = None
    windows: int = 16
    learning_rate: float = 5e-4
    precision: str = "bf16"
    validation_share: float = 0.25
    patience: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("passes", "windows", "patience"):
            given = getattr(self, name)
            if given is not None and given < 1:
                raise BudwoodError(f"{name} is {given!r}", where="adapt", mend="give 1 or more")
        if not 0 < self.learning_rate < 1 or not 0 < self.validation_share < 1:
            raise BudwoodError(
                "a rate or a share is out of range", where="adapt", mend="give numbers between 0 and 1"
            )

    def passes_of(self, windows: int) -> int:
        """Passes over a panel.

        Parameters
        ----------
        windows
            Windows of the panel.

        Returns
        -------
        int
            The passes given, or 1 to 4.

        Examples
        --------
        >>> [Supervision().passes_of(windows) for windows in (500, 8_000, 20_000, 90_000)]
        [4, 2, 1, 1]
        """
        if self.passes is not None:
            return self.passes
        return max(1, min(LOOKS, _ENOUGH // max(1, windows)))


@dataclass(frozen=True, kw_only=True)
class SupervisionHistory:
    """Ratios of the score statistic to its mean without an effect.

    Attributes
    ----------
    training, validation
        After each pass, or four times in all where there are fewer passes; the first entry before any. Over
        the training and the validation accessions, in at most 512 windows drawn at random.
    best
        Place of the ratio whose weights are kept; 0 where none was higher than that of the frozen encoder.
    steps
        Steps done.
    seconds
        Time of training and of the ratios between.
    sequences
        Distinct sequences that a pass reads.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]
    best: int
    steps: int
    seconds: float
    sequences: int


@dataclass(frozen=True, eq=False)
class WindowProducts:
    """What a window needs of all accessions: h numbers and an h x h matrix.

    Attributes
    ----------
    projected
        (H,) Z_w' P y of every window, one after another.
    quadratic
        (h, h) Z_w' P Z_w of each window.
    """

    projected: NDArray[np.float64]
    quadratic: tuple[NDArray[np.float64], ...]


def projection(
    values: NDArray[np.float64], relationship: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P and P y of a mixed model with the relationship alone, its variances by REML.

    Parameters
    ----------
    values
        (n,) trait values.
    relationship
        (n, n) kernel.

    Returns
    -------
    tuple
        (n, n) P, and (n,) P y, both for values divided by their standard deviation.

    Examples
    --------
    >>> p, py = projection(np.array([1.0, 2.0, 2.5, 4.0]), np.eye(4))
    >>> bool(abs(p.sum()) < 1e-9 and abs(py.sum()) < 1e-9)
    True
    """
    y = (values - values.mean()) / values.std()
    found = reml(y, [relationship])
    # Values that the relationship explains completely would leave nothing to explain.
    residual = max(found.residual, 0.05)
    covariance = found.kernels[0] * relationship + residual * np.eye(len(y))
    factor = cho_factor(covariance, lower=True)
    inverse = cho_solve(factor, np.eye(len(y)))
    ones = inverse.sum(axis=1)
    p = inverse - np.outer(ones, ones) / ones.sum()
    return p, p @ y


def window_products(
    table: HaplotypeTable, p: NDArray[np.float64], projected: NDArray[np.float64]
) -> WindowProducts:
    """Products of every window's haplotypes with P and P y.

    Parameters
    ----------
    table
        Haplotypes of n accessions.
    p, projected
        From :func:`projection`.

    Returns
    -------
    WindowProducts
        Numbers in haplotype space.
    """
    sums = np.zeros(table.n_sequences)
    squares: list[NDArray[np.float64]] = []
    for first in range(0, len(table.windows), _TOGETHER):
        shares = [_shares(table, w) for w in range(first, min(first + _TOGETHER, len(table.windows)))]
        whole = np.concatenate(shares, axis=1)
        begin = int(table.offsets[first])
        sums[begin : begin + whole.shape[1]] = whole.T @ projected
        middle = p @ whole
        place = 0
        for share in shares:
            width = share.shape[1]
            squares.append(share.T @ middle[:, place : place + width])
            place += width
    return WindowProducts(sums, tuple(squares))


def supervise(
    encoder: BudwoodEncoder,
    trained: list[nn.Parameter],
    table: HaplotypeTable,
    values: NDArray[np.float64],
    relationship: NDArray[np.float64],
    plan: Supervision,
    *,
    show: bool | None = None,
) -> SupervisionHistory:
    """Train an adapter on the trait values of accessions; the weights with the highest ratio stay.

    Parameters
    ----------
    encoder
        With the adapter in use.
    trained
        Parameters of the adapter.
    table
        Haplotypes of the n accessions.
    values
        (n,) trait values, none missing.
    relationship
        (n, n) kernel of the accessions, by markers.
    plan
        How.
    show
        Draw a progress bar; by default on a terminal.

    Returns
    -------
    SupervisionHistory
        Ratios before, on the way and after.

    Raises
    ------
    BudwoodError
        If there are too few accessions, or the loss stops being a number.
    """
    if len(values) < _FEWEST:
        raise BudwoodError(
            f"{len(values)} accessions with a value are too few",
            where="adapt",
            mend=f"give {_FEWEST} or more",
        )
    begun = time.perf_counter()
    random = np.random.default_rng(plan.seed)
    order = random.permutation(len(values))
    kept = max(5, round(plan.validation_share * len(values)))
    products = [
        window_products(table.take(rows), *projection(values[rows], relationship[np.ix_(rows, rows)]))
        for rows in (np.sort(order[kept:]), np.sort(order[:kept]))
    ]
    followed = np.sort(random.permutation(len(table.windows))[:FOLLOWED])
    ratios = [_ratios(encoder, table, products, followed)]
    best, state = 0, copy.deepcopy([p.detach() for p in trained])
    optimiser = torch.optim.AdamW(trained, lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
    batches = _batches(len(table.windows), plan, random)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.learning_rate, total_steps=max(2, len(batches)), pct_start=0.1
    )
    looks = _looks(len(batches), plan.passes_of(len(table.windows)))
    totals, done = _Totals(), 0
    with progress("trait supervision", total=len(batches), show=show) as advance:
        for done, batch in enumerate(batches, start=1):
            _step(encoder, table, products[0], batch, totals, optimiser, bool(random.integers(2)), plan)
            schedule.step()
            advance(1)
            if done not in looks:
                continue
            ratios.append(_ratios(encoder, table, products, followed))
            if ratios[-1][1] > ratios[best][1]:
                best, state = len(ratios) - 1, copy.deepcopy([p.detach() for p in trained])
            if len(ratios) - 1 - best >= plan.patience:
                break
    with torch.no_grad():
        for parameter, value in zip(trained, state, strict=True):
            parameter.copy_(value)
    return SupervisionHistory(
        training=tuple(training for training, _ in ratios),
        validation=tuple(validation for _, validation in ratios),
        best=best,
        steps=done,
        seconds=time.perf_counter() - begun,
        sequences=table.n_sequences,
    )


def _batches(windows: int, plan: Supervision, random: np.random.Generator) -> list[NDArray[np.intp]]:
    """Windows of each step; every pass has each window once."""
    found: list[NDArray[np.intp]] = []
    for _ in range(plan.passes_of(windows)):
        shuffled = random.permutation(windows)
        found += [shuffled[begin : begin + plan.windows] for begin in range(0, windows, plan.windows)]
    return found


def _looks(steps: int, passes: int) -> set[int]:
    """Steps after which the ratios are taken: after each pass, and four times at least."""
    count = min(steps, max(passes, LOOKS))
    return {round(steps * k / count) for k in range(1, count + 1)}


class _Totals:
    """Sums of the statistic and of its mean over the windows of late batches."""

    def __init__(self) -> None:
        self.statistic = self.mean = 0.0

    def add(self, statistic: float, mean: float) -> None:
        self.statistic = 0.95 * self.statistic + statistic
        self.mean = 0.95 * self.mean + mean


def _step(
    encoder: BudwoodEncoder,
    table: HaplotypeTable,
    products: WindowProducts,
    batch: NDArray[np.intp],
    totals: _Totals,
    optimiser: torch.optim.Optimizer,
    turned: bool,
    plan: Supervision,
) -> None:
    optimiser.zero_grad(set_to_none=True)
    device = next(encoder.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=plan.precision == "bf16"):
        vectors = _one_strand(encoder, _sequences(table, batch).to(device), turned)
    statistic, mean = _of_windows(vectors, table, [products], batch)[0]
    totals.add(float(statistic.detach()), float(mean.detach()))
    # The gradient of the log ratio of the sums, in which this batch has its part.
    loss = mean / max(totals.mean, 1e-30) - statistic / max(totals.statistic, 1e-30)
    if not torch.isfinite(loss):
        raise BudwoodError(
            "the loss is no number any more", where="trait supervision", mend="lower the learning rate"
        )
    loss.backward()
    nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], 1.0)
    optimiser.step()


def _ratios(
    encoder: BudwoodEncoder,
    table: HaplotypeTable,
    products: list[WindowProducts],
    windows: NDArray[np.intp],
) -> tuple[float, float]:
    """The ratio over some windows for each set of accessions, both strands of every sequence averaged."""
    sums = np.zeros((len(products), 2))
    device = next(encoder.parameters()).device
    with torch.no_grad():
        for begin in range(0, len(windows), 8):
            batch = windows[begin : begin + 8]
            vectors = encoder.embed_strands(_sequences(table, batch).to(device)).mean(0)
            found = _of_windows(vectors, table, products, batch)
            sums += np.array([[float(statistic), float(mean)] for statistic, mean in found])
    first, second = (sums[:, 0] / np.maximum(sums[:, 1], 1e-30)).tolist()
    return float(first), float(second)


def _sequences(table: HaplotypeTable, batch: NDArray[np.intp]) -> Tensor:
    """(H, length) codes of the distinct sequences of windows, one window after another."""
    rows = np.concatenate([np.arange(table.offsets[w], table.offsets[w + 1]) for w in batch])
    return torch.from_numpy(table.sequences[rows].astype(np.int64))


def _one_strand(encoder: BudwoodEncoder, tokens: Tensor, turned: bool) -> Tensor:
    """(H, size) vectors of the given strand of sequences, or of the other one."""
    read = reverse_complement_tokens(tokens) if turned else tokens
    return encoder.strand(read).pooled(pool_weights(read, None))


def _of_windows(
    vectors: Tensor,
    table: HaplotypeTable,
    products: list[WindowProducts],
    batch: NDArray[np.intp],
) -> list[tuple[Tensor, Tensor]]:
    """Statistic and mean over windows for each set of accessions, from the vectors of their sequences."""
    device = vectors.device
    sizes = [int(table.offsets[w + 1] - table.offsets[w]) for w in batch]
    parts = [part - part[:1] for part in vectors.double().split(sizes)]
    found = []
    for each in products:
        zero = vectors.new_zeros((), dtype=torch.float64)
        statistic, mean = zero, zero
        for w, part in zip(batch, parts, strict=True):
            own = slice(int(table.offsets[w]), int(table.offsets[w + 1]))
            projected = torch.from_numpy(each.projected[own]).to(device)
            quadratic = torch.from_numpy(each.quadratic[w]).to(device)
            statistic = statistic + (projected @ part).square().sum()
            mean = mean + (quadratic @ part * part).sum()
        found.append((statistic, mean))
    return found


def _shares(table: HaplotypeTable, window: int) -> NDArray[np.float64]:
    """(n, h) shares of each accession's copies that carry each sequence."""
    counts = table.counts(window).astype(np.float64)
    shares: NDArray[np.float64] = counts / np.maximum(1.0, counts.sum(axis=1, keepdims=True))
    return shares
