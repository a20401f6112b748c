"""The classes that saved trait models are made of; their names are part of the format."""

from __future__ import annotations

from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Markers
from budwood.prediction.environments.fitted import FittedKroneckerModel
from budwood.prediction.environments.scaling import EnvironmentScales
from budwood.prediction.environments.trials import Trials
from budwood.prediction.kernels.kernel_model import FittedKernelModel, KernelEffects
from budwood.prediction.kernels.landmark_model import FittedLandmarkModel
from budwood.prediction.kernels.marker_model import FittedMarkerModel
from budwood.prediction.kernels.training_haplotypes import TrainingHaplotypes
from budwood.prediction.kernels.training_lines import TrainingLines
from budwood.prediction.models.bayes_c import SampledEffects
from budwood.prediction.models.boosted_trees import FittedBooster, FittedBoosters
from budwood.prediction.models.elastic_net import MarkerEffects
from budwood.prediction.models.major_loci import Background, FittedMajorLoci
from budwood.prediction.models.random_forest import FittedForest
from budwood.prediction.models.stack import FittedStack
from budwood.prediction.uncertainty.calibrated import FittedCalibrated
from budwood.prediction.uncertainty.cross_fit_model import FittedCrossFitModel, FittedLargeModel
from budwood.prediction.uncertainty.interval_scale import IntervalScale
from budwood.stats.evaluation.conformal import Widening
from budwood.stats.evaluation.stacking import StackingWeights
from budwood.stats.matrix_free.marker_blup import MarkerBlup
from budwood.stats.mixed_model.blup import Blup
from budwood.stats.mixed_model.column_covariance import FactorAnalytic, SumOfKernels
from budwood.stats.mixed_model.kronecker_grid import KroneckerGrid, SolvedGrid
from budwood.stats.mixed_model.kronecker_model import KroneckerFit
from budwood.stats.mixed_model.kronecker_scattered import KroneckerScattered, SolvedCells
from budwood.stats.mixed_model.landmark_blup import LandmarkBlup
from budwood.stats.mixed_model.variance_components import VarianceComponents


def stored_classes() -> tuple[type, ...]:
    """Every dataclass that a saved trait model may hold, beside the model's own class and its axes.

    Returns
    -------
    tuple[type, ...]
        The classes.
    """
    return (
        Background,
        Blup,
        EnvironmentScales,
        Environments,
        FactorAnalytic,
        FittedBooster,
        FittedBoosters,
        FittedCalibrated,
        FittedCrossFitModel,
        FittedForest,
        FittedKernelModel,
        FittedKroneckerModel,
        FittedLandmarkModel,
        FittedLargeModel,
        FittedMajorLoci,
        FittedMarkerModel,
        FittedStack,
        IntervalScale,
        KernelEffects,
        KroneckerFit,
        KroneckerGrid,
        KroneckerScattered,
        LandmarkBlup,
        MarkerBlup,
        MarkerEffects,
        Markers,
        SampledEffects,
        SolvedCells,
        SolvedGrid,
        StackingWeights,
        SumOfKernels,
        TrainingHaplotypes,
        TrainingLines,
        Trials,
        VarianceComponents,
        Widening,
    )
