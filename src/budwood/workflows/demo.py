"""Demo: a simulated species and panel from files to report, scored against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.panel.files import PanelFiles
from budwood.workflows.predict import PredictOptions, PredictResult, predict, write_prediction
from budwood.workflows.setup.command import command_of
from budwood.workflows.setup.cost import Announce, silent
from budwood.workflows.setup.encoder import EncoderOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.simulate.files import DemoFiles


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """How to simulate.

    Attributes
    ----------
    checkpoint
        Folder of the encoder; the packaged one where None.
    seed
        Of species, population, trait and folds.
    """

    checkpoint: Path | None = None
    seed: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class DemoResult:
    """A prediction and how near it comes to the truth.

    Attributes
    ----------
    predicted
        What :func:`~budwood.workflows.predict.predict` gives.
    accuracy
        Correlation of predicted and true genetic values of the lines without a phenotype, by model.
    """

    predicted: PredictResult
    accuracy: dict[str, float]

    def record(self) -> dict[str, Any]:
        """The result as plain values, the tables left out.

        Returns
        -------
        dict[str, Any]
            As the file of the verb holds it; None for what was not measured.
        """
        return self.predicted.record() | {"accuracy": self.accuracy}


def demo(
    options: DemoOptions, out: Path, *, overwrite: bool = False, announce: Announce = silent
) -> DemoResult:
    """Simulate a species and 800 lines, 150 of them phenotyped, and predict the others.

    Parameters
    ----------
    options
        How to simulate.
    out
        Folder to write: the files of a prediction, and under ``data`` what a breeder would have and the
        truth.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what long work will take.

    Returns
    -------
    DemoResult
        The prediction and the accuracy on the lines whose truth is known.
    """
    from budwood.artifacts import write_artifact
    from budwood.simulate.files import DemoConfig, write_panel

    config = DemoConfig.from_seed(options.seed)
    with write_artifact(out, kind="demo", seeds={"seed": options.seed}, overwrite=overwrite) as draft:
        files = write_panel(draft.path("data"), config)
        wanted = PredictOptions(
            files=PanelFiles(
                genotypes=files.genotypes, phenotypes=files.phenotypes, reference=files.reference
            ),
            trait=config.trait.name,
            encoder=EncoderOptions(checkpoint=options.checkpoint),
            seed=options.seed,
        )
        predicted = predict(wanted, announce=announce)
        write_prediction(draft, predicted, wanted, command=command_of("demo", options))
        accuracy = _accuracy(predicted, files)
        draft.metrics["accuracy"] = accuracy
    return DemoResult(predicted=predicted, accuracy=accuracy)


def _accuracy(predicted: PredictResult, files: DemoFiles) -> dict[str, float]:
    """Correlation of predicted and true genetic values of the lines without phenotype, by model."""
    import numpy as np

    from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
    from budwood.prediction.kernels.kernel_model import GBLUP
    from budwood.stats.evaluation.metrics import pearson_r

    truth = read_phenotypes(files.truth).means("genetic_value")
    hidden = np.flatnonzero(np.isnan(predicted.prediction.observed))
    true_value = np.array([truth[predicted.prediction.accessions[row]] for row in hidden])
    return {
        GBLUP.name: pearson_r(_gblup(predicted, hidden), true_value),
        predicted.model: pearson_r(predicted.prediction.prediction[hidden], true_value),
    }


def _gblup(predicted: PredictResult, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """What the markers alone predict for some rows."""
    import numpy as np

    from budwood.prediction.kernels.kernel_model import GBLUP
    from budwood.prediction.kernels.panel_kernels import PanelKernels

    observed = predicted.prediction.observed
    phenotyped = np.flatnonzero(np.isfinite(observed))
    kernels = PanelKernels(predicted.panel.genotypes)
    fitted = GBLUP.fit(kernels, phenotyped, observed[phenotyped])
    return fitted.predict(kernels.lines(rows, phenotyped)).value
