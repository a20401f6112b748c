"""A service with a small encoder, and clients that talk to it in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.panel.files import PanelFiles
from budwood.service.app import create_app
from budwood.service.settings import ServiceSettings
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
