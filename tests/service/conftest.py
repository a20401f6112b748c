"""A service with a small encoder, and clients that talk to it in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from budwood.cli.app import main
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.panel.files import PanelFiles
from budwood.service.app import create_app
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.job_queue import JobQueue, Standing
from budwood.service.jobs.states import State
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import keep_model
from budwood.workflows.predict import PredictOptions, predict
from budwood.workflows.setup.encoder import EncoderOptions


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an untrained encoder that is small enough to be quick."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    random_checkpoint(shape, seed=1).encoder.save_pretrained(folder)
    return folder


@pytest.fixture
def settings(tmp_path: Path, tiny_checkpoint: Path) -> ServiceSettings:
    """A service that listens on this machine alone and allows as many requests as a test needs."""
    encoder = EncoderOptions(checkpoint=tiny_checkpoint, device="cpu")
    return ServiceSettings(folder=tmp_path / "service", encoder=encoder, rate="10000/minute", parallel_jobs=0)


@pytest.fixture
def serve() -> Iterator[Callable[..., TestClient]]:
    """Start a service and give a client of it; all are stopped after the test."""
    with ExitStack() as running:

        def start(settings: ServiceSettings, **changes: Any) -> TestClient:
            settings = replace(settings, **changes)
            app = create_app(settings)
            host = "127.0.0.1:8080" if settings.is_open else "service.example.org"
            return running.enter_context(
                TestClient(app, base_url=f"http://{host}", raise_server_exceptions=False)  # type: ignore[arg-type]
            )

        yield start


@pytest.fixture
def client(serve: Callable[..., TestClient], settings: ServiceSettings) -> TestClient:
    """A client of the usual service."""
    return serve(settings)


@dataclass(frozen=True)
class SmallPanel:
    """Files of 40 lines, 30 of them with a height, and of 6 new lines with the same markers."""

    genotypes: Path
    phenotypes: Path
    new_lines: Path


@pytest.fixture(scope="session")
def panel(tmp_path_factory: pytest.TempPathFactory) -> SmallPanel:
    """Genotypes and phenotypes that fit together."""
    folder = tmp_path_factory.mktemp("panel")
    generator = np.random.default_rng(3)
    families = generator.uniform(0.1, 0.9, (4, 60))
    dosage = generator.binomial(2, families[np.arange(46) % 4])
    height = 100 + dosage @ generator.normal(size=60) + generator.normal(size=46)
    names = [f"line{i:02d}" for i in range(46)]
    files = SmallPanel(*(folder / name for name in ("panel.vcf", "traits.csv", "new.vcf")))
    _write_vcf(files.genotypes, names[:40], dosage[:40])
    _write_vcf(files.new_lines, names[40:], dosage[40:])
    rows = [f"{name},{value:.3f}\n" for name, value in zip(names[:30], height, strict=False)]
    files.phenotypes.write_text("accession,height\n" + "".join(rows))
    return files


@pytest.fixture(scope="session")
def saved_model(panel: SmallPanel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of height, as predict saves it."""
    folder = tmp_path_factory.mktemp("models") / "height"
    files = PanelFiles(genotypes=panel.genotypes, phenotypes=panel.phenotypes)
    predict(PredictOptions(files=files, trait="height", model="gblup", save_model=folder))
    return folder


def _write_vcf(path: Path, names: list[str], dosage: np.ndarray) -> None:
    calls = ("0/0", "0/1", "1/1")
    header = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr1,length=100000>", "\t".join(header)]
    for j in range(dosage.shape[1]):
        site = ["chr1", str(100 * j + 5), f"m{j}", "A", "G", ".", ".", ".", "GT"]
        lines.append("\t".join([*site, *(calls[count] for count in dosage[:, j])]))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def finish(settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], JobFolder]:
    """Run the command of a job that waits in this process, and let the job stand as done."""
    done: set[str] = set()
    real = JobQueue.standings

    def standings(queue: JobQueue, folders: Sequence[JobFolder]) -> dict[str, Standing]:
        ours = {each.id: Standing(State.DONE, None, 0.0) for each in folders if each.id in done}
        return real(queue, folders) | ours

    monkeypatch.setattr(JobQueue, "standings", standings)

    def run(id: str) -> JobFolder:
        folder = JobFolder(settings.folder / "jobs" / id)
        with monkeypatch.context() as here:
            here.chdir(folder.path)
            record = folder.record()
            assert main([*record.words, "--overwrite"]) == 0
        if record.save_as is not None:
            keep_model(settings, folder.path / "model", record.save_as)
        done.add(id)
        return folder

    return run


@pytest.fixture
def submit(client: TestClient) -> Callable[..., str]:
    """Submit a job and give its id."""

    def send(options: dict[str, Any], **files: Path) -> str:
        sent = {role: (path.name, path.read_bytes()) for role, path in files.items()}
        answer = client.post("/v1/jobs", data={"options": json.dumps(options)}, files=sent)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    return send


@dataclass(frozen=True)
class SmallGenome:
    """A genome of two contigs, and a VCF of five variants in it."""

    path: Path
    vcf: Path


@pytest.fixture(scope="session")
def genome(tmp_path_factory: pytest.TempPathFactory) -> SmallGenome:
    """Files that fit together."""
    folder = tmp_path_factory.mktemp("genomes")
    generator = np.random.default_rng(4)
    letters = {
        name: "".join(generator.choice(list("ACGT"), n)) for name, n in (("chr1", 24_000), ("chr2", 900))
    }
    files = SmallGenome(folder / "small.fa", folder / "calls.vcf")
    files.path.write_text("".join(f">{name}\n{each}\n" for name, each in letters.items()))
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr1>", "##contig=<ID=chr2>"]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for contig, position in (("chr1", 300), ("chr1", 301), ("chr1", 900), ("chr2", 20), ("chr2", 500)):
        ref = letters[contig][position - 1]
        lines.append(f"{contig}\t{position}\t.\t{ref}\t{'A' if ref != 'A' else 'C'}\t.\tPASS\t.")
    files.vcf.write_text("\n".join(lines) + "\n")
    return files
