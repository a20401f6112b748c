"""Compare probes of an encoder with every baseline on the same examples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.model.backbone import Backbone
from budwood.probing.comparison.features import CONVOLUTION, FeatureSet, feature_sets, reach_of
from budwood.probing.comparison.probes import (
    ConvolutionProbe,
    KernelProbe,
    LinearClassifier,
    LinearRegressor,
    Probe,
    Target,
)
from budwood.probing.comparison.scores import (
    DRAWS,
    Estimate,
    ProbePredictions,
    draw_blocks,
    estimates,
    measure_classes,
    measure_values,
)
from budwood.probing.linear import one_hot_middle
from budwood.probing.tasks.examples import ExampleSet, ReadPart
from budwood.progress import progress
from budwood.training.finetuning.sequence_network import Strand

LINEAR: Final = "linear"
KERNEL: Final = "kernel"
#: Fewest training and fewest test examples.
FEWEST: Final = 20
#: The measure by which rows are compared, and its name for people.
MEASURES: Final[Mapping[str, str]] = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "pearson_r": "r",
    "spearman_r": "rank correlation",
    "r2": "R²",
    "rmse": "error (RMSE)",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeRow:
    """One probe on one kind of features.

    Attributes
    ----------
    features, probe
        Names of the features and of the probe: ``linear``, ``kernel`` or ``network``.
    baseline
        Whether it uses no trained encoder.
    inner_score
        Score in folds of the training examples; NaN where none was made.
    scores
        Measures on the test examples.
    above
        Main measure of the encoder's chosen probe minus that of this row, paired; None for the encoder's own.
    seconds
        Time of fitting, features included.
    """

    features: str
    probe: str
    baseline: bool
    inner_score: float
    scores: dict[str, Estimate]
    above: Estimate | None
    seconds: float

    @property
    def name(self) -> str:
        """Features and probe."""
        return f"{self.features}, {self.probe}"


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeComparison:
    """Probes of one task on the same examples.

    Attributes
    ----------
    task
        Name of the task.
    classes
        Names of the classes; empty for values.
    measure
        The main measure: AUROC with two classes, balanced accuracy with more, Pearson's r for values.
    training, test
        Numbers of examples, by class where there are classes.
    blocks
        Number of blocks of the test that the bootstrap draws.
    rows
        All probes, the encoder's first.
    chosen
        Position of the encoder's probe with the highest score in the training examples' folds.
    best_baseline
        Position of the baseline with the highest main measure on the test examples, which favours the
        baselines.
    like_training
        Share of the test windows that resemble a training window.
    notes
        Sentences about the examples.
    """

    task: str
    classes: tuple[str, ...]
    measure: str
    training: dict[str, int]
    test: dict[str, int]
    blocks: int
    rows: tuple[ProbeRow, ...]
    chosen: int
    best_baseline: int
    like_training: float
    notes: tuple[str, ...]

    @property
    def adds(self) -> bool | None:
        """Whether the encoder beats the best baseline; None where the interval includes 0."""
        above = self.rows[self.best_baseline].above
        assert above is not None, "baselines are compared with the encoder"
        if above.lower > 0:
            return True
        return False if above.upper < 0 else None

    @property
    def conclusion(self) -> str:
        """One sentence on what the encoder adds."""
        best, chosen = self.rows[self.best_baseline], self.rows[self.chosen]
        name, found = MEASURES[self.measure], chosen.scores[self.measure]
        above = best.above
        assert above is not None, "baselines are compared with the encoder"
        have = f"{name} {found.value:.3f} ({found.lower:.3f} to {found.upper:.3f})"
        interval = f"95 % interval of the difference {above.lower:+.3f} to {above.upper:+.3f}"
        by = f"{abs(above.value):.3f} ({interval})"
        if self.adds:
            return f"The embedding beats every baseline: {have}, {by} above {best.name}, the best of them."
        if self.adds is None:
            way = "above" if above.value >= 0 else "below"
            return (
                f"The embedding adds nothing that this test can show: {have}, {by} {way} {best.name}, the "
                "best baseline."
            )
        return f"The embedding is worse than {best.name}: {have}, {by} below it."


def compare_features(
    training: ExampleSet, test: ExampleSet, encoder: Backbone, *, seed: int = 0, show: bool | None = None
) -> ProbeComparison:
    """Fit every probe to the training examples and score all on the same test examples.

    Features are scaled and penalties tuned on training examples alone, in folds that keep blocks whole.

    Parameters
    ----------
    training, test
        Examples of one task, classes in both.
    encoder
        The frozen encoder.
    seed
        Seed of the bootstrap.
    show
        Whether to show progress; by default where the output is a terminal.

    Returns
    -------
    ProbeComparison
        Scores of all probes.

    Raises
    ------
    BudwoodError
        If there are under 20 examples on a side, or the values do not vary.
    """
    _check(training, test)
    classes = training.classes if training.is_classification else ()
    target, truth = _target(training, classes), _target(test, classes).numbers
    weights = np.concatenate([np.ones((1, len(test))), draw_blocks(test.blocks, draws=DRAWS, seed=seed)])

    def measure(found: ProbePredictions) -> dict[str, NDArray[np.float64]]:
        if classes:
            return measure_classes(truth.astype(np.intp), found, weights, classes)
        return measure_values(truth.astype(np.float64), found, weights)

    fits = list(_fits(feature_sets(encoder, training.reading), training, test, target))
    measured: list[tuple[FeatureSet, str, float, dict[str, NDArray[np.float64]], float]] = []
    with progress("probing", total=len(fits), show=show) as advance:
        for features, name, fit in fits:
            begun = time.perf_counter()
            probe, found = fit()
            row = (features, name, probe.inner_score, measure(found), time.perf_counter() - begun)
            measured.append(row)
            advance()
    return _comparison(training, test, classes, measured)


def _fits(
    sets: tuple[FeatureSet, ...], training: ExampleSet, test: ExampleSet, target: Target
) -> Iterator[tuple[FeatureSet, str, Callable[[], tuple[Probe, ProbePredictions]]]]:
    """Every probe to be fitted: features, name of the probe, and how."""
    linear = LinearClassifier if target.classes else LinearRegressor
    for each in sets:
        known: list[tuple[NDArray[np.floating], NDArray[np.floating]]] = []
        for name, kind in ((LINEAR, linear), (KERNEL, KernelProbe)):
            if name == KERNEL and each.linear_only:
                continue

            def fit(
                each: FeatureSet = each,
                kind: Callable[..., Probe] = kind,
                known: list[tuple[NDArray[np.floating], NDArray[np.floating]]] = known,
            ) -> tuple[Probe, ProbePredictions]:
                if not known:
                    known.append((each.compute(training), each.compute(test)))
                probe = kind(known[0][0], target)
                return probe, probe.predict(known[0][1])

            yield each, name, fit

    def convolve() -> tuple[Probe, ProbePredictions]:
        strands: Strand = "own" if training.stranded else "both"
        pooled = strands if training.reading is ReadPart.WHOLE else None
        probe: Probe = ConvolutionProbe(training.windows, target, reach_of(training), pooled)
        return probe, probe.predict(test.windows)

    yield (
        FeatureSet(CONVOLUTION, lambda examples: one_hot_middle(examples.windows, 1), baseline=True),
        "network",
        convolve,
    )


def _comparison(
    training: ExampleSet,
    test: ExampleSet,
    classes: tuple[str, ...],
    measured: list[tuple[FeatureSet, str, float, dict[str, NDArray[np.float64]], float]],
) -> ProbeComparison:
    main = ("auroc" if len(classes) == 2 else "balanced_accuracy") if classes else "pearson_r"
    own = [row for row, (features, *_) in enumerate(measured) if not features.baseline]
    chosen = max(own, key=lambda row: measured[row][2])
    others = [row for row in range(len(measured)) if row not in own]
    best = max(others, key=lambda row: float(measured[row][3][main][0]))
    rows = []
    for features, probe, inner, values, seconds in measured:
        point = {name: value[:1] for name, value in values.items()}
        drawn = {name: value[1:] for name, value in values.items()}
        difference = measured[chosen][3][main] - values[main]
        above = Estimate.of(float(difference[0]), difference[1:]) if features.baseline else None
        rows.append(
            ProbeRow(
                features=features.name,
                probe=probe,
                baseline=features.baseline,
                inner_score=inner,
                scores=estimates(point, drawn),
                above=above,
                seconds=seconds,
            )
        )
    return ProbeComparison(
        task=training.task,
        classes=classes,
        measure=main,
        training=counts_of(training),
        test=counts_of(test),
        blocks=len(np.unique(test.blocks)),
        rows=tuple(rows),
        chosen=chosen,
        best_baseline=best,
        like_training=float("nan"),
        notes=tuple(dict.fromkeys((*training.notes, *test.notes))),
    )


def counts_of(examples: ExampleSet) -> dict[str, int]:
    """Number of examples by class; in all for values.

    Parameters
    ----------
    examples
        The examples.

    Returns
    -------
    dict
        Number by name of the class, under ``"all"`` for values.
    """
    if not examples.is_classification:
        return {"all": len(examples)}
    names, counts = np.unique(examples.labels, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _target(examples: ExampleSet, classes: tuple[str, ...]) -> Target:
    numbers: NDArray[np.generic] = examples.values
    if classes:
        numbers = np.searchsorted(np.array(classes), examples.labels)
    return Target(numbers=numbers, blocks=examples.blocks, classes=len(classes))


def _check(training: ExampleSet, test: ExampleSet) -> None:
    for side, name in ((training, "training"), (test, "test")):
        if len(side) < FEWEST:
            raise BudwoodError(
                f"there are {len(side)} {name} examples, and a probe needs {FEWEST}",
                where=side.task,
                mend="give more annotation or another split",
            )
        if not side.is_classification and not np.ptp(side.values) > 0:
            raise BudwoodError(
                f"all {name} values are the same", where=side.task, mend="give values that vary"
            )
