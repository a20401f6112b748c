"""A cluster of two nodes makes the same corpus as one process, also when a worker dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from budwood.artifacts import read_manifest
from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.corpus.stages import pairwise_tasks as parts
from budwood.corpus.stages.build import build_corpus
from budwood.corpus.stages.ray_runner import RayRunner
from budwood.corpus.stages.stage import Task, stage
from budwood.errors import BudwoodError
from budwood.progress import progress
from corpus.genomes import write_genomes

ray = pytest.importorskip("ray", reason="Ray is not installed: no cluster to test on")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        # Workers import the functions of this file from the folder of the tests.
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        yield from started(Cluster)


def started(cluster: type) -> Iterator[str]:
    local = cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    local.add_node(num_cpus=1, include_dashboard=False)
    local.wait_for_nodes()
    yield local.address
    ray.shutdown()
    local.shutdown()


@stage(version=1)
def die_once(inputs, parameters, folder: Path) -> None:
    """Write half a file and die as a worker that runs out of memory does; the second time, finish."""
    seen = Path(parameters["seen"])
    (folder / "half.txt").write_text("half")
    if not seen.exists():
        seen.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / "whole.txt").write_text("whole")


@stage(version=1)
def fail(inputs, parameters, folder: Path) -> None:
    raise BudwoodError("this cannot be", where="here", mend="change it")


def test_two_nodes_make_the_same_bytes(cluster, built, tmp_path):
    recipe = read_corpus_recipe(write_genomes(tmp_path))
    out = build_corpus(recipe, tmp_path / "out", runner=RayRunner(cluster), show=False)
    assert len([node for node in ray.nodes() if node["Alive"]]) == 2
    assert read_manifest(out)["files"] == read_manifest(built)["files"]


def test_windows_compared_in_parts_are_the_same_on_a_cluster(cluster, built, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART", 37)
    recipe = read_corpus_recipe(write_genomes(tmp_path))
    out = build_corpus(recipe, tmp_path / "out", runner=RayRunner(cluster), show=False)
    one = build_corpus(recipe, tmp_path / "one", show=False)
    files = read_manifest(out)["files"]
    assert files == read_manifest(one)["files"]
    whole = read_manifest(built)["files"]
    assert all(files[name] == whole[name] for name in files if name != "corpus.json")


def test_a_worker_that_dies_is_replaced(cluster, tmp_path):
    task = Task("stage", "shard", die_once, {}, {"seen": str(tmp_path / "seen")})
    with progress("x", 1, show=False) as advance:
        (folder,) = RayRunner(cluster).run([task], tmp_path / "work", advance)
    assert (folder / "whole.txt").read_text() == "whole"
    assert (tmp_path / "seen").exists()


def test_workers_that_die_leave_the_same_corpus(cluster, built, tmp_path, monkeypatch):
    """Every stage's first task loses its worker once, through a copy of the function that kills it."""
    recipe = read_corpus_recipe(write_genomes(tmp_path))
    killer = RayRunner(cluster)
    marks = tmp_path / "marks"
    marks.mkdir()
    killer._remote = ray.remote(max_retries=-1)(killed_once(str(marks)))
    out = build_corpus(recipe, tmp_path / "out", runner=killer, show=False)
    assert len(list(marks.iterdir())) > 8
    assert read_manifest(out)["files"] == read_manifest(built)["files"]


def killed_once(marks: str):
    def run(task: Task, work: Path) -> Path:
        from budwood.corpus.stages.stage import run_task

        mark = Path(marks) / task.stage
        if not mark.exists():
            mark.write_text("")
            (task.folder(work).parent).mkdir(parents=True, exist_ok=True)
            (task.folder(work).parent / f".{task.shard}.half").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        return run_task(task, work)

    return run


def test_a_failing_task_is_one_sentence(cluster, tmp_path):
    tasks = [Task("stage", str(number), fail) for number in range(3)]
    with progress("x", 3, show=False) as advance, pytest.raises(BudwoodError, match="this cannot be"):
        RayRunner(cluster).run(tasks, tmp_path / "work", advance)
