"""Folds in other processes give the figures of one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from budwood.prediction.evaluation.evaluate import Comparison, Scheme, evaluate
from budwood.prediction.evaluation.fold_runner import FoldRunner, LocalProcesses
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.stats.evaluation.splitters import random_folds


class Elsewhere:
    """Copies tasks as for another process, and runs the last one first."""

    def run(self, tasks: Sequence[Callable[[], object]]) -> list[object]:
        return [deepcopy(task)() for task in reversed(tasks)][::-1]


def evaluated(panel, runner: FoldRunner | None):
    lines = panel.genotypes.accessions[:60]
    y = np.array([panel.values[name] for name in lines])
    scheme = Scheme("random", tuple(random_folds(lines, 4, repeat) for repeat in range(2)))
    models = (model_named("gblup"), model_named("gaussian"))
    kernels = PanelKernels(panel.genotypes.take(range(60)))
    comparison = Comparison(models, models[-1].name)
    return evaluate(kernels, y, comparison, scheme, trait="height", permutations=3, runner=runner)


def same(found, expected) -> None:
    for one, other in zip(found.scores, expected.scores, strict=True):
        np.testing.assert_allclose(one.fold_r, other.fold_r, rtol=0.0, atol=1e-9)
    np.testing.assert_allclose(found.held_out_prediction, expected.held_out_prediction, rtol=1e-9)
    assert found.permutation.mean_r == pytest.approx(expected.permutation.mean_r, abs=1e-9)
    assert found.notes == expected.notes


def test_tasks_may_run_anywhere_and_in_any_order(panel) -> None:
    same(evaluated(panel, Elsewhere()), evaluated(panel, None))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_two_processes(panel) -> None:
    same(evaluated(panel, LocalProcesses(2)), evaluated(panel, None))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_two_nodes_with_a_worker_that_dies(panel, tmp_path, monkeypatch) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: no cluster to test on")
    from ray.cluster_utils import Cluster

    from budwood.prediction.evaluation.fold_runner import RayFolds

    # Workers import the functions of this file from the folder of the tests.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    local = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        local.add_node(num_cpus=1, include_dashboard=False)
        local.wait_for_nodes()
        runner = RayFolds(local.address)
        monkeypatch.setattr(runner, "_remote", ray.remote(max_retries=-1)(killed_once(str(tmp_path))))
        same(evaluated(panel, runner), evaluated(panel, None))
        assert (tmp_path / "killed").exists()
    finally:
        ray.shutdown()
        local.shutdown()


def killed_once(folder: str) -> Callable[[Callable[[], object]], object]:
    """Runs a task; the first worker that tries kills itself."""

    def called(task: Callable[[], object]) -> object:
        import os
        import signal
        from pathlib import Path

        mark = Path(folder) / "killed"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return task()

    return called
