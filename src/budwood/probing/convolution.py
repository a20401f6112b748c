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
from budwood.probing.linear import one_hot

_BATCH: Final = 64
_HELD_OUT: Final = 0.1


class SmallConvolution:
    """Three convolutions over the bases near a site, with early stopping on held-out examples.

    Layers of ``channels`` filters of width 11, 7 and 7, with batch normalisation, ReLU and, after the first
    two, pooling by 2; then one linear layer over all outputs, with dropout. It reads one strand: windows
    along the gene. Trained by AdamW; a tenth of the examples determines when to stop, and the weights that
    are best on them are kept. Several networks with different seeds are trained, and their log odds are
    averaged.

    Parameters
    ----------
    reach
        Bases read on either side of the middle.
    channels
        Filters in each layer.
    seeds
        Number of networks.
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
        seeds: int = 3,
        patience: int = 5,
        epochs: int = 40,
    ) -> None:
        self.reach = reach
        self.channels = channels
        self.seeds = seeds
        self.patience = patience
        self.epochs = epochs
        self._networks: list[nn.Sequential] = []

    def fit(self, windows: NDArray[np.uint8], labels: NDArray[np.bool_]) -> SmallConvolution:
        """Train the networks.

        Parameters
        ----------
        windows
            (rows, length) bases along the gene.
        labels
            (rows,) whether each window is a site.

        Returns
        -------
        SmallConvolution
            The fitted model itself.
        """
        letters, truth = self._letters(windows), torch.from_numpy(labels.astype(np.float32))
        self._networks = [self._train(letters, truth, seed) for seed in range(self.seeds)]
        return self

    def decision(self, windows: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Predict log odds, the mean of the networks.

        Parameters
        ----------
        windows
            (rows, length) bases along the gene.

        Returns
        -------
        numpy.ndarray
            (rows,) log odds.
        """
        letters = self._letters(windows)
        with torch.inference_mode():
            found = torch.stack([_decide(network, letters) for network in self._networks]).mean(0)
        return found.double().numpy()

    def _letters(self, windows: NDArray[np.uint8]) -> Tensor:
        letters = one_hot(windows, self.reach).reshape(len(windows), 2 * self.reach, N)
        return torch.from_numpy(letters).transpose(1, 2).contiguous()

    def _train(self, letters: Tensor, truth: Tensor, seed: int) -> nn.Sequential:
        state = torch.get_rng_state()
        torch.manual_seed(seed)
        order = torch.randperm(len(truth))
        count = max(2, int(_HELD_OUT * len(order)))
        held, kept = order[:count], order[count:]
        network = convolution_layers(2 * self.reach, 1, self.channels)
        optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
        best, since, weights = float("inf"), 0, copy.deepcopy(network.state_dict())
        for _ in range(self.epochs):
            _pass(network, optimiser, letters[kept], truth[kept])
            with torch.inference_mode():
                decided = _decide(network, letters[held])
                loss = float(functional.binary_cross_entropy_with_logits(decided, truth[held]))
            since = 0 if loss < best else since + 1
            if loss < best:
                best, weights = loss, copy.deepcopy(network.state_dict())
            if since >= self.patience:
                break
        network.load_state_dict(weights)
        torch.set_rng_state(state)
        return network


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


def _pass(network: nn.Sequential, optimiser: torch.optim.Optimizer, letters: Tensor, truth: Tensor) -> None:
    network.train()
    order = torch.randperm(len(truth))
    for begin in range(0, len(order), _BATCH):
        rows = order[begin : begin + _BATCH]
        # Batch normalisation cannot estimate a variance from a batch of one.
        if len(rows) < 2:
            continue
        optimiser.zero_grad()
        decided = network(letters[rows]).squeeze(1)
        functional.binary_cross_entropy_with_logits(decided, truth[rows]).backward()
        optimiser.step()


def _decide(network: nn.Sequential, letters: Tensor) -> Tensor:
    network.eval()
    return torch.cat([network(part).squeeze(1) for part in letters.split(512)])
