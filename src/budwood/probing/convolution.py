"""A small convolutional network as a baseline for frozen embeddings, trained on the same examples only."""

from __future__ import annotations

import copy
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from budwood.genomics.sequence import N
from budwood.probing.linear import one_hot_middle
from budwood.probing.sequence_baselines import SequenceConvolution
from budwood.training.finetuning.sequence_network import Strand

_BATCH: Final = 64
_HELD_OUT: Final = 0.1


class SmallConvolution:
    """Three convolutions over the bases near a site, with early stopping on held-out examples.

    Layers of ``channels`` filters of width 11, 7 and 7, with batch normalisation, ReLU and, after the first
    two, pooling by 2; then one linear layer over all outputs, with dropout. It reads one strand: windows
    along the gene. For questions about a whole window ``pooled`` takes
    :class:`~budwood.probing.sequence_baselines.SequenceConvolution` instead, for which all places are alike.
    Trained by AdamW; a tenth of the examples determines when to stop, and the weights that are best on them
    are kept. Several networks with different seeds are trained, and their log odds are averaged.

    Parameters
    ----------
    reach
        Bases read on either side of the middle.
    channels
        Filters in each layer.
    classes
        2 for true and false; more for numbers of classes (cross-entropy); 0 for values (squared error).
    seeds
        Number of networks.
    pooled
        Read the whole window by a pooled network: ``own`` reads the given strand, ``both`` averages two; None
        reads the middle.
    patience, epochs
        Epochs without a lower loss on the held-out examples before stopping, and largest number of epochs.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> windows = random.integers(0, 4, (400, 64), dtype=np.uint8)
    >>> labels = windows[:, 30] == 2
    >>> network = SmallConvolution(reach=16, channels=8, seeds=1).fit(windows, labels)
    >>> bool((network.decision(windows)[labels] > 0).mean() > 0.9)
    True
    """

    def __init__(
        self,
        *,
        reach: int = 80,
        channels: int = 32,
        classes: int = 2,
        seeds: int = 3,
        pooled: Strand | None = None,
        patience: int = 5,
        epochs: int = 40,
    ) -> None:
        self.reach = reach
        self.channels = channels
        self.classes = classes
        self.seeds = seeds
        self.pooled = pooled
        self.patience = patience
        self.epochs = epochs
        self._networks: list[nn.Module] = []
        self._origin, self._unit = 0.0, 1.0

    def fit(self, windows: NDArray[np.uint8], labels: NDArray[np.generic]) -> SmallConvolution:
        """Train the networks.

        Parameters
        ----------
        windows
            (rows, length) bases along the gene.
        labels
            (rows,) whether each window is a site; numbers of classes; or values.

        Returns
        -------
        SmallConvolution
            The fitted model itself.
        """
        numbers = labels.astype(np.float64)
        if not self.classes:
            self._origin, self._unit = float(numbers.mean()), float(numbers.std()) or 1.0
        truth = torch.from_numpy((numbers - self._origin) / self._unit)
        truth = truth.long() if self.classes > 2 else truth.float()
        letters = self._letters(windows)
        self._networks = [self._train(letters, truth, seed) for seed in range(self.seeds)]
        return self

    def decision(self, windows: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Predict log odds or values, the mean of the networks.

        Parameters
        ----------
        windows
            (rows, length) bases along the gene.

        Returns
        -------
        numpy.ndarray
            (rows,) log odds, or values; (rows, classes) scores with more than two classes.
        """
        letters = self._letters(windows)
        with torch.inference_mode():
            found = torch.stack([_decide(network, letters) for network in self._networks]).mean(0)
        decided: NDArray[np.float64] = found.double().numpy()
        return decided * self._unit + self._origin

    def _letters(self, windows: NDArray[np.uint8]) -> Tensor:
        if self.pooled is not None:
            return torch.from_numpy(windows).long()
        letters = one_hot_middle(windows, self.reach).reshape(len(windows), 2 * self.reach, N)
        return torch.from_numpy(letters).transpose(1, 2).contiguous()

    def _train(self, letters: Tensor, truth: Tensor, seed: int) -> nn.Module:
        state = torch.get_rng_state()
        torch.manual_seed(seed)
        order = torch.randperm(len(truth))
        count = max(2, int(_HELD_OUT * len(order)))
        held, kept = order[:count], order[count:]
        outputs = self.classes if self.classes > 2 else 1
        network: nn.Module = (
            convolution_layers(2 * self.reach, outputs, self.channels)
            if self.pooled is None
            else SequenceConvolution(outputs, strand=self.pooled, seed=seed, channels=self.channels)
        )
        optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
        best, since, weights = float("inf"), 0, copy.deepcopy(network.state_dict())
        for _ in range(self.epochs):
            self._pass(network, optimiser, letters[kept], truth[kept])
            with torch.inference_mode():
                loss = float(self._loss(_decide(network, letters[held]), truth[held]))
            since = 0 if loss < best else since + 1
            if loss < best:
                best, weights = loss, copy.deepcopy(network.state_dict())
            if since >= self.patience:
                break
        network.load_state_dict(weights)
        torch.set_rng_state(state)
        return network

    def _loss(self, decided: Tensor, truth: Tensor) -> Tensor:
        if self.classes > 2:
            return functional.cross_entropy(decided, truth)
        if not self.classes:
            return functional.mse_loss(decided, truth)
        return functional.binary_cross_entropy_with_logits(decided, truth)

    def _pass(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, letters: Tensor, truth: Tensor
    ) -> None:
        network.train()
        order = torch.randperm(len(truth))
        for begin in range(0, len(order), _BATCH):
            rows = order[begin : begin + _BATCH]
            # Batch normalisation cannot estimate a variance from a batch of one.
            if len(rows) < 2:
                continue
            optimiser.zero_grad()
            self._loss(network(letters[rows]).squeeze(1), truth[rows]).backward()
            optimiser.step()


def convolution_layers(width: int, outputs: int, channels: int = 32) -> nn.Sequential:
    """Three convolutions and a linear layer over all their outputs, untrained.

    Parameters
    ----------
    width
        Bases of a sequence, at least 4.
    outputs
        Numbers to predict.
    channels
        Filters in each layer.

    Returns
    -------
    nn.Sequential
        Turns (rows, 4, width) into (rows, outputs).

    Examples
    --------
    >>> convolution_layers(40, 2)(torch.zeros(3, 4, 40)).shape
    torch.Size([3, 2])
    """
    layers: list[nn.Module] = []
    before = N
    for number, kernel in enumerate((11, 7, 7)):
        layers += [nn.Conv1d(before, channels, kernel, padding=kernel // 2)]
        layers += [nn.BatchNorm1d(channels), nn.ReLU()]
        before = channels
        if number < 2:
            layers.append(nn.MaxPool1d(2))
            width //= 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(width * channels, outputs))


def _decide(network: nn.Module, letters: Tensor) -> Tensor:
    network.eval()
    return torch.cat([network(part).squeeze(1) for part in letters.split(512)])
