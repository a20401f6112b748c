"""A small panel with a heritable trait and haplotypes."""

from dataclasses import dataclass

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.prediction import predict
from budwood.prediction.evaluation.results import Evaluation, ModelScore, PermutationTest


@dataclass(frozen=True)
class Panel:
    genotypes: Genotypes
    genetic: np.ndarray
    values: dict[str, float]
    haplotypes: HaplotypeTable
    vectors: np.ndarray


def make_panel(seed: int = 0, n: int = 80, m: int = 200, labelled: int = 60) -> Panel:
    generator = np.random.default_rng(seed)
    families = generator.uniform(0.05, 0.95, (4, m))
    dosage = generator.binomial(2, families[generator.integers(0, 4, n)]).astype(np.int8)
    names = [str(1000 + 7 * i) for i in generator.permutation(n)]
    windows = 10
    sequences = 3
    codes = generator.integers(0, sequences, (n, windows, 2)).astype(np.uint8)
    vectors = generator.standard_normal((windows * sequences, 512)).astype(np.float32)
    offsets = np.arange(0, windows * sequences + 1, sequences, dtype=np.int64)
    carried = vectors[offsets[:-1][None, :, None] + codes].mean(axis=2)
    genetic = dosage @ generator.standard_normal(m) / np.sqrt(m)
    genetic += carried[:, :, 0].sum(axis=1) / np.sqrt(windows)
    observed = 5.0 + genetic + 0.4 * generator.standard_normal(n)
    table = HaplotypeTable(
        tuple(names),
        tuple(Interval("chr1", 512 * w, 512 * (w + 1)) for w in range(windows)),
        np.zeros((windows * sequences, 512), dtype=np.uint8),
        offsets,
        codes,
        {"calls_missing": 3, "phase_assumed": 0},
    )
    values = {name: float(value) for name, value in zip(names[:labelled], observed, strict=False)}
    return Panel(Genotypes.from_matrix(names, dosage), genetic, values, table, vectors)


@pytest.fixture(scope="session")
def panel() -> Panel:
    return make_panel()


class _NoCandidates:
    """Judges no candidate."""

    def __init__(self, kernels, *_, **__) -> None:
        self.lines = len(kernels)

    def judge(self):
        return (), np.zeros(self.lines, dtype=bool)


@pytest.fixture
def unevaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    """`predict_trait` predicts without evaluating: each model is fitted once."""

    def evaluate(kernels, y, comparison, scheme, **_) -> Evaluation:
        score = ModelScore(comparison.reported, (0.5,), 0.5, 0.9, 1.0, 1.0, 0.0)
        control = PermutationTest(comparison.reported, 0.0, -0.1, 0.1)
        names = kernels.genotypes.accessions
        return Evaluation("t", "random", 2, 1, (score,), (), control, y, y, names, "")

    monkeypatch.setattr(predict, "evaluate", evaluate)
    monkeypatch.setattr(predict, "CandidateAccuracy", _NoCandidates)
