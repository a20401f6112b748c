"""A cluster gives the vectors of one process, also when a worker dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from budwood.errors import BudwoodError
from budwood.inference import embed as module
from budwood.inference.embed import Pool, embed_windows
from budwood.inference.ray_chunks import RayChunks
from budwood.model.backbone import load_backbone
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder_config import BudwoodConfig
from model.published import write_kmer_esm

ray = pytest.importorskip("ray", reason="Ray is not installed: no cluster to test on")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayChunks]:
    """Two nodes of one core."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        # Workers import the functions of this file from the folder of the tests.
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        patch.setenv("OMP_NUM_THREADS", "1")
        local = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        local.add_node(num_cpus=1, include_dashboard=False)
        local.wait_for_nodes()
        yield RayChunks(local.address)
        ray.shutdown()
        local.shutdown()


@pytest.fixture(autouse=True)
def _small_chunks_on_one_thread(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(module, "_CHUNK", 2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def checkpoint():
    return random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2), seed=1)


def windows(rows: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 5, (rows, 80), dtype=np.uint8)


@pytest.mark.parametrize("oriented", [False, True])
def test_two_nodes_give_the_same_bits(cluster, checkpoint, oriented):
    assert cluster.workers == 2
    words = {"pool": Pool.CENTRE, "oriented": oriented}
    there = embed_windows(windows(300), checkpoint, runner=cluster, **words)
    here = embed_windows(windows(300), checkpoint, cache=False, **words)
    assert np.array_equal(there, here)
    assert np.array_equal(embed_windows(windows(300), checkpoint, **words), here)  # kept by the cluster's run


def test_published_models_travel(cluster, tmp_path):
    model = load_backbone(write_kmer_esm(tmp_path / "model"))
    there = embed_windows(windows(40), model, runner=cluster, cache=False)
    assert np.array_equal(there, embed_windows(windows(40), model, cache=False))


def test_workers_that_die_change_nothing(cluster, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_remote", ray.remote(max_retries=-1)(killed_twice(str(tmp_path))))
    there = embed_windows(windows(300), checkpoint, runner=cluster, cache=False)
    assert len(list(tmp_path.glob("killed*"))) == 2
    assert np.array_equal(there, embed_windows(windows(300), checkpoint, cache=False))


def killed_twice(marks: str):
    def encode_or_die(encode, codes):
        for mark in (Path(marks) / "killed first", Path(marks) / "killed second"):
            if not mark.exists():
                mark.write_text("")
                os.kill(os.getpid(), signal.SIGKILL)
        return encode(codes)

    return encode_or_die


def test_a_failing_chunk_is_one_sentence(cluster, checkpoint, monkeypatch):
    monkeypatch.setattr(cluster, "_remote", ray.remote(fail))
    with pytest.raises(BudwoodError, match="this cannot be"):
        embed_windows(windows(300), checkpoint, runner=cluster, cache=False)


def fail(encode, codes):
    raise BudwoodError("this cannot be", where="here", mend="change it")
