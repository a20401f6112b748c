"""``budwood demo`` on a small species: the same code as the real one."""

from __future__ import annotations

import re

import numpy as np
import pytest

from budwood.simulate.files import DemoConfig
from budwood.simulate.population import PopulationConfig
from budwood.simulate.species import SpeciesConfig
from budwood.simulate.trait import TraitConfig


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    def small_config(seed: int) -> DemoConfig:
        return DemoConfig(
            SpeciesConfig(contigs=1, contig_length=60_000, genes_per_contig=12, seed=seed),
            PopulationConfig(lines=80, seed=seed),
            TraitConfig(causal=15, phenotyped=50, seed=seed),
        )

    monkeypatch.setattr(DemoConfig, "from_seed", small_config)


@pytest.mark.usefixtures("small")
def test_three_lines_and_a_report(run, tiny_checkpoint, tmp_path) -> None:
    out = tmp_path / "demo"
    ran = run("demo", "--out", out, "--checkpoint", tiny_checkpoint, "--seed", 4)
    assert ran.code == 0, ran.err
    gblup, dna_model, report = ran.out.splitlines()
    assert re.fullmatch(r"accuracy of GBLUP: r = -?0\.\d{3}", gblup)
    assert re.fullmatch(r"accuracy of GBLUP \+ DNA model: r = -?0\.\d{3}", dna_model)
    assert report == f"report: {out / 'report.html'}"
    assert (out / "data" / "truth.csv").is_file()
    assert run("verify", out).code == 0
    assert np.loadtxt(out / "predictions.csv", delimiter=",", dtype=str, skiprows=1).shape == (80, 13)


@pytest.mark.usefixtures("small")
def test_the_files_of_the_demo_serve_predict(run, tiny_checkpoint, tmp_path) -> None:
    """What the demo printed can be had again by hand from its files."""
    demo, again = tmp_path / "demo", tmp_path / "again"
    assert run("demo", "--out", demo, "--checkpoint", tiny_checkpoint, "--seed", 4).code == 0
    data = demo / "data"
    words = ("--genotypes", data / "genotypes.vcf.gz", "--phenotypes", data / "phenotypes.csv")
    more = ("--reference", data / "reference.fa", "--trait", "plant_height", "--seed", 4)
    assert run("predict", *words, *more, "--checkpoint", tiny_checkpoint, "--out", again).code == 0
    assert (again / "predictions.csv").read_bytes() == (demo / "predictions.csv").read_bytes()
