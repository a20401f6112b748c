"""GBLUP of a large panel by workers of a cluster: the bytes of one process, also when a worker dies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels import dense_limit
from budwood.prediction.trait_model import TraitModel
from budwood.stats.matrix_free import marker_ranges
from budwood.stats.matrix_free.marker_ranges import LocalRanges, RangeRunner
from stats.matrix_free.conftest import mosaics

N = 240


def fitted(runner: RangeRunner | None):
    rng = np.random.default_rng(4)
    dosage = mosaics(N + 20, 400, 4)
    value = dosage[:, ::20] @ rng.normal(size=20)
    dosage[rng.random(dosage.shape) < 0.02] = -1
    genotypes = Genotypes.from_matrix([f"line{number:04d}" for number in range(N + 20)], dosage)
    y = 10.0 + value / value.std() + 0.7 * rng.normal(size=N + 20)
    y[N:] = np.nan
    found = TraitModel("gblup").fit_traits(
        genotypes, {"height": y, "width": y + rng.normal(size=N + 20)}, runner=runner
    )
    return [each.predict(genotypes) for each in found.values()]


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 200)
    monkeypatch.setattr("budwood.prediction.trait_model._SAMPLE", 50)
    monkeypatch.setattr(marker_ranges, "_MARKERS", 100)


def same(found, expected) -> None:
    for one, other in zip(found, expected, strict=True):
        for name in ("prediction", "standard_error", "lower_90", "upper_90"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert one.notes == other.notes


def test_ranges_predict_what_all_markers_predict(forced) -> None:
    for found, expected in zip(fitted(LocalRanges()), fitted(None), strict=True):
        np.testing.assert_allclose(found.prediction, expected.prediction, atol=1e-3)
        np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-2)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_two_nodes_with_a_worker_that_dies(forced, tmp_path, monkeypatch) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: no cluster to test on")
    from ray.cluster_utils import Cluster

    from budwood.prediction.kernels.ray_ranges import RayRanges

    # Workers import the functions of this file from the folder of the tests.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    local = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        local.add_node(num_cpus=1, include_dashboard=False)
        local.wait_for_nodes()
        runner = RayRanges(local.address)
        monkeypatch.setattr(runner, "_remote", ray.remote(max_retries=-1)(killed_once(str(tmp_path))))
        same(fitted(runner), fitted(LocalRanges()))
        assert (tmp_path / "killed").exists()
    finally:
        ray.shutdown()
        local.shutdown()


def killed_once(folder: str) -> Callable[..., object]:
    """Makes a product; the first worker that tries kills itself."""

    def called(*arguments: object) -> object:
        import os
        import signal
        from pathlib import Path

        from budwood.stats.matrix_free.marker_ranges import range_product

        mark = Path(folder) / "killed"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return range_product(*arguments)

    return called
