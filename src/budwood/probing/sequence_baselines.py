"""Models of whole sequences that know nothing of a genome: a convolution on letters, and k-mers."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional

from budwood.genomics.sequence import PAD, N
from budwood.model.encoder import reverse_complement_tokens
from budwood.probing.kmer_models import canonical_kmers
from budwood.training.finetuning.outputs import Outputs
from budwood.training.finetuning.sequence_network import Strand

_PENALTIES: Final = tuple(10.0**power for power in range(7))
_INVERSE_PENALTIES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


class SequenceConvolution(nn.Module):
    """Two convolutions, whose outputs are pooled over the whole sequence, and a linear layer.

    Filters of width 13 and 7 with batch normalisation and ReLU; the mean and the maximum of each over the
    bases of the sequence; dropout; one linear layer. What counts in such sequences may lie anywhere: a
    linear layer over every position, as :class:`~budwood.probing.convolution.SmallConvolution` has it for
    sites, learns places by heart (on 1,500 promoters r .40 on another species, pooled .72).

    Parameters
    ----------
    outputs
        Numbers to predict for each sequence.
    strand
        ``own`` reads the given strand alone; ``both`` averages the outputs of the two strands.
    seed
        Seed of the first weights; the global generator of torch stays as it is.
    channels
        Filters in each layer.

    Examples
    --------
    >>> SequenceConvolution(2)(torch.zeros(3, 38, dtype=torch.long)).shape
    torch.Size([3, 2])
    """

    def __init__(self, outputs: int, *, strand: Strand = "own", seed: int = 0, channels: int = 64) -> None:
        super().__init__()
        self.strand = strand
        state = torch.get_rng_state()
        torch.manual_seed(seed)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(read, channels, width, padding=width // 2), nn.BatchNorm1d(channels), nn.ReLU()
            )
            for read, width in ((N, 13), (channels, 7))
        )
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * channels, outputs))
        torch.set_rng_state(state)

    def forward(self, tokens: Tensor) -> Tensor:
        """Predict a batch.

        Parameters
        ----------
        tokens
            (rows, length) codes, padded on the right.

        Returns
        -------
        Tensor
            (rows, outputs).
        """
        given = self._read(tokens)
        if self.strand == "own":
            return given
        return (given + self._read(reverse_complement_tokens(tokens))) / 2

    def _read(self, tokens: Tensor) -> Tensor:
        inside = (tokens != PAD).unsqueeze(1)
        found = functional.one_hot(tokens, 8)[:, :, :N].float().transpose(1, 2)
        for block in self.blocks:
            # Padding is zero for every layer, so that its length changes nothing.
            found = block(found) * inside
        mean = found.sum(dim=2) / inside.sum(dim=2).clamp(min=1)
        decided: Tensor = self.head(torch.cat([mean, found.amax(dim=2)], dim=1))
        return decided


class KmerRegression:
    """Ridge or logistic regression on the frequencies of k-mers, the penalty chosen by cross-validation.

    Parameters
    ----------
    k
        Length of the k-mers.
    strand
        ``both`` counts a k-mer and its reverse complement as one.

    Examples
    --------
    >>> from budwood.training.finetuning.outputs import value_outputs
    >>> codes = np.random.default_rng(0).integers(0, 4, (60, 50), dtype=np.uint8)
    >>> truth = (codes == 2).mean(axis=1, keepdims=True)
    >>> model = KmerRegression(k=2).fit(codes, truth, value_outputs(["g"], truth, np.arange(60)))
    >>> bool(np.corrcoef(model.read(codes)[:, 0], truth[:, 0])[0, 1] > 0.9)
    True
    """

    def __init__(self, k: int = 4, *, strand: Strand = "own") -> None:
        self.k = k
        self.strand = strand

    def fit(self, codes: NDArray[np.uint8], truth: NDArray[np.float64], outputs: Outputs) -> KmerRegression:
        """Fit one regression for each value, or one of the classes.

        Parameters
        ----------
        codes
            (rows, length) bases, padded on the right.
        truth
            (rows, names) values, NaN where unknown; or (rows, 1) numbers of classes.
        outputs
            What is predicted.

        Returns
        -------
        KmerRegression
            The fitted model itself.
        """
        features = self._features(codes)
        self._classes = len(outputs.classes)
        if self._classes:
            folds = max(2, min(5, int(np.bincount(truth[:, 0].astype(int)).min())))
            logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
            choice = {"logisticregression__C": _INVERSE_PENALTIES}
            model = GridSearchCV(logistic, choice, scoring="neg_log_loss", cv=folds)
            self._models = [model.fit(features, truth[:, 0].astype(int))]
            return self
        scaled = outputs.targets(truth).double().numpy()
        known = np.isfinite(scaled)
        self._models = [
            make_pipeline(StandardScaler(), RidgeCV(_PENALTIES)).fit(features[rows], scaled[rows, column])
            for column, rows in enumerate(known.T)
        ]
        return self

    def read(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Outputs on the scale of a network: standardised values, or log probabilities of the classes.

        Parameters
        ----------
        codes
            (rows, length) bases, padded on the right.

        Returns
        -------
        ndarray
            (rows, outputs).
        """
        features = self._features(codes)
        if not self._classes:
            return np.stack([model.predict(features) for model in self._models], axis=1)
        (model,) = self._models
        found = np.full((len(codes), self._classes), -np.inf)
        # A class without a training sequence has no probability.
        found[:, model.classes_.astype(int)] = model.predict_log_proba(features)
        return np.maximum(found, -50.0)

    def _features(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(rows, k-mers) share of each k-mer among those without an N."""
        counts = np.stack([_counted(row, self.k) for row in codes])
        if self.strand == "both":
            classes, kinds = canonical_kmers(self.k)
            either = np.zeros((kinds, len(counts)))
            np.add.at(either, classes, counts.T)
            counts = either.T
        return counts / np.maximum(1.0, counts.sum(axis=1, keepdims=True))


def _counted(codes: NDArray[np.uint8], k: int) -> NDArray[np.float64]:
    windows = np.lib.stride_tricks.sliding_window_view(codes, k) if len(codes) >= k else np.empty((0, k))
    whole = windows[(windows < N).all(axis=1)].astype(np.int64)
    return np.bincount(whole @ 4 ** np.arange(k)[::-1], minlength=4**k).astype(np.float64)
