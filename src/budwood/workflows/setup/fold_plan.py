"""In how many processes folds run, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from budwood.errors import counted
from budwood.workflows.setup.cost import duration, model_cost
from budwood.workflows.setup.threads import MANY

if TYPE_CHECKING:
    from budwood.panel.panel import Panel
    from budwood.prediction.compare import Design
    from budwood.prediction.evaluation.fold_runner import FoldRunner

#: Share of the free memory that processes may take between them.
_OF_MEMORY: Final = 0.8
#: Held-out lines on which the control's shuffles are judged, and how many are made first.
_JUDGED, _SHUFFLES = 300, 5
#: Seconds of a fit for each cube of a training line, and for each training line, by model; other models as
#: ``auto``. Measured on one core with 4,144 training lines.
_CUBE: Final = MappingProxyType({"gblup": 8e-11, "gaussian": 1e-10, "gblup+dna": 5e-10})
_AUTO_CUBE: Final = 1.3e-10
_LINE: Final = MappingProxyType({"gblup": 2e-4, "gaussian": 6e-4, "gblup+dna": 6e-4})
_AUTO_LINE: Final = 4.5e-3
#: Seconds of a relationship for each square of a line and marker.
_PRODUCT: Final = 2e-11
#: Matrices of lines by lines that a process holds at most: with kernels alone, and with any other model.
_MATRICES: Final = (9, 14)


@dataclass(frozen=True)
class FoldPlan:
    """Processes, time and memory of an evaluation.

    Attributes
    ----------
    processes
        How many share the folds.
    what
        The panel, in words.
    seconds
        Of all fits, divided among the processes.
    gigabytes
        Of all processes.
    """

    processes: int
    what: str
    seconds: float
    gigabytes: float

    @classmethod
    def of(
        cls,
        panel: Panel,
        trait: str,
        design: Design,
        workers: int | None,
        *,
        phenotyped: int | None = None,
    ) -> FoldPlan:
        """Plan the evaluation of a panel.

        Parameters
        ----------
        panel
            The panel.
        trait
            Name of the trait.
        design
            Models and folds.
        workers
            Processes that the user asks for; None for as many as pay.
        phenotyped
            Lines with a value of the trait, where the panel does not hold the values.

        Returns
        -------
        FoldPlan
            The plan.
        """
        n, m = panel.shape
        phenotyped = len(panel.values(trait)) if phenotyped is None else phenotyped
        if phenotyped < MANY:
            return cls(workers or 1, model_cost(panel, trait, design.fits), 0.0, 0.0)
        folds = design.folds or 5
        splits = folds * (design.repeats if design.scheme == "random" else 1)
        training = phenotyped * (folds - 1) / folds
        each = {name: _seconds(name, training) for name in design.models}
        control = min(folds, ceil(_JUDGED * folds / phenotyped)) * _SHUFFLES * each[design.models[-1]]
        seconds = splits * (sum(each.values()) + _PRODUCT * phenotyped**2 * m) + control
        matrices = _MATRICES[any(name not in _CUBE for name in design.models)]
        gigabytes = (panel.genotypes.dosage.nbytes + 8 * matrices * training**2) / 1e9
        processes = workers or _paying(gigabytes, splits)
        what = f"{counted(phenotyped, 'phenotyped line')} of {n:,}, {counted(m, 'marker')}"
        return cls(processes, what, seconds / processes, processes * gigabytes)

    def sentence(self) -> str:
        """What it takes, to announce before it begins.

        Returns
        -------
        str
            A sentence.
        """
        if not self.seconds:
            return self.what
        shared = f" in {self.processes} processes" if self.processes > 1 else ""
        return f"{self.what}: {duration(self.seconds)} of model fits{shared}, {self.gigabytes:.1f} GB"


def _seconds(model: str, training: float) -> float:
    return _CUBE.get(model, _AUTO_CUBE) * training**3 + _LINE.get(model, _AUTO_LINE) * training


def _paying(gigabytes: float, splits: int) -> int:
    """As many processes as there are processors, memory and folds for."""
    import psutil

    free = psutil.virtual_memory().available / 1e9 * _OF_MEMORY
    return max(1, min(psutil.cpu_count() or 1, int(free / gigabytes), splits))


def fold_runner(processes: int, ray: str | None = None) -> FoldRunner | None:
    """What runs the folds.

    Parameters
    ----------
    processes
        Of this machine.
    ray
        Address of a Ray cluster that runs them instead.

    Returns
    -------
    FoldRunner or None
        None for one process, this one.

    Raises
    ------
    BudwoodError
        If Ray is not installed or no cluster answers.
    """
    from budwood.prediction.evaluation.fold_runner import LocalProcesses, RayFolds

    if ray is not None:
        return RayFolds(ray)
    return LocalProcesses(processes) if processes > 1 else None
