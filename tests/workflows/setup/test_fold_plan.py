"""Processes, time and memory of an evaluation are announced."""

from types import SimpleNamespace

import numpy as np
import pytest

from budwood.prediction.compare import Design
from budwood.prediction.evaluation.fold_runner import LocalProcesses
from budwood.workflows.setup.fold_plan import FoldPlan, fold_runner


def panel_of(lines: int, markers: int) -> SimpleNamespace:
    values = {f"L{line}": 1.0 for line in range(lines)}
    genotypes = SimpleNamespace(dosage=np.broadcast_to(np.int8(0), (lines, markers)))
    return SimpleNamespace(
        shape=(lines, markers), values=lambda trait: values, vectors=None, genotypes=genotypes
    )


def test_small_panels_stay_in_one_process() -> None:
    plan = FoldPlan.of(panel_of(300, 1000), "yield", Design(("gblup", "gaussian")), None)
    assert plan.processes == 1
    assert "300 phenotyped lines" in plan.sentence()
    assert fold_runner(plan.processes) is None


def test_large_panels_share_the_folds_as_memory_allows(monkeypatch) -> None:
    memory = SimpleNamespace(available=8e9)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    monkeypatch.setattr("psutil.cpu_count", lambda: 8)
    design = Design(("gblup", "gaussian", "auto"))
    plan = FoldPlan.of(panel_of(5_180, 4_312), "yield", design, None)
    assert plan.processes == 3
    assert "in 3 processes" in plan.sentence()
    assert plan.gigabytes < 6.4
    memory.available = 1e9
    assert FoldPlan.of(panel_of(5_180, 4_312), "yield", design, None).processes == 1
    assert isinstance(fold_runner(2), LocalProcesses)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_processes_can_be_given(workers) -> None:
    plan = FoldPlan.of(panel_of(5_180, 4_312), "yield", Design(("gblup",)), workers)
    assert plan.processes == workers
