"""``budwood demo``: a made-up species and panel from files to report, scored against the truth."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from budwood.cli.options import CheckpointFolder, Json, Quiet, Seed
from budwood.cli.output import hushed, print_summary
from budwood.cli.predict import Predicted, predict_files, summary_of, write_predicted
from budwood.panel.files import PanelFiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.simulate.files import DemoFiles

EXAMPLE: Final = "Example: budwood demo --out demo-output --seed 1"

DemoOut = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="Folder to write; the made-up files are in its data/."),
]


def demo(
    out: DemoOut = Path("demo-output"),
    checkpoint: CheckpointFolder = None,
    seed: Seed = 1,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a species and 800 lines, 150 of them phenotyped; predict the others, score against the truth.

    DIR/data holds the files that a breeder would have (reference, annotation, genotypes, phenotypes) and the
    truth behind them. Accuracy is the correlation with the true genetic values of the lines that have no
    phenotype.
    """
    from budwood.artifacts import write_artifact
    from budwood.simulate.files import DemoConfig, write_panel

    config = DemoConfig.from_seed(seed)
    trait = config.trait.name
    with hushed(quiet), write_artifact(out, kind="demo", seeds={"seed": seed}) as draft:
        files = write_panel(draft.path("data"), config)
        source = PanelFiles(files.genotypes, files.phenotypes, files.reference)
        predicted = predict_files(source, trait, checkpoint, seed=seed, show=not quiet)
        command = shlex.join(["budwood", "demo", "--seed", str(seed)])
        write_predicted(draft, predicted, command=command)
        accuracy = _accuracy(predicted, files)
        draft.metrics["accuracy"] = accuracy
    lines = [f"accuracy of {model}: r = {r:.3f}" for model, r in accuracy.items()]
    summary = summary_of(predicted, out) | {"accuracy": accuracy}
    print_summary(summary, [*lines, f"report: {out / 'report.html'}"], as_json=as_json)


def _accuracy(predicted: Predicted, files: DemoFiles) -> dict[str, float]:
    """Correlation of predicted and true genetic values of the lines without phenotype, by model."""
    import numpy as np

    from budwood.genomics.io.tables.phenotypes import read_phenotypes
    from budwood.prediction.kernels.kernel_model import GBLUP
    from budwood.stats.evaluation.metrics import pearson_r

    truth = read_phenotypes(files.truth).means("genetic_value")
    hidden = np.flatnonzero(np.isnan(predicted.prediction.observed))
    true_value = np.array([truth[predicted.prediction.accessions[row]] for row in hidden])
    return {
        GBLUP.name: pearson_r(_gblup(predicted, hidden), true_value),
        predicted.model: pearson_r(predicted.prediction.prediction[hidden], true_value),
    }


def _gblup(predicted: Predicted, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """What the markers alone predict for some rows."""
    import numpy as np

    from budwood.prediction.kernels.kernel_model import GBLUP
    from budwood.prediction.kernels.panel_kernels import PanelKernels

    observed = predicted.prediction.observed
    labelled = np.flatnonzero(np.isfinite(observed))
    kernels = PanelKernels(predicted.panel.genotypes)
    fitted = GBLUP.fit(kernels, labelled, observed[labelled])
    return fitted.predict(kernels.lines(rows, labelled)).value
