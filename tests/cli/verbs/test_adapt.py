"""``budwood adapt``: adapters from a genome and from trait values, and their use by other verbs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from budwood.artifacts import verify_artifact
from budwood.genomics.sequence import decode
from tests.probing.small_genome import write_genome

QUICK = ("--steps", 3, "--batch", 4, "--held-out-windows", 8, "--rank", 2, "--quiet")


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    letters = decode(np.random.default_rng(0).integers(0, 4, 24_000, dtype=np.uint8))
    path.write_text(f">c1\n{letters}\n>c2\n{letters[:3000]}\n")
    return path


def test_a_genome_gives_an_adapter_that_changes_vectors(
    run: Callable[..., object], tiny_checkpoint: Path, genome: Path, tmp_path: Path
) -> None:
    out, over = tmp_path / "own.1", tmp_path / "over"
    words = ("--checkpoint", tiny_checkpoint, *QUICK, "--json")
    ran = run("adapt", "--reference", genome, "--other", genome, "--full-control", *words, "--out", out)
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    found = json.loads(ran.out)  # type: ignore[attr-defined]
    assert [each["name"] for each in found["masked_bases"]] == ["genome.fa", "genome.fa"]
    assert len(found["full_control"]) == 2
    assert (
        found["adapter"]["share"] == found["adapter"]["parameters"] / found["adapter"]["encoder_parameters"]
    )
    assert verify_artifact(out) == []
    assert {path.name for path in out.iterdir()} == {
        *("adapter_config.json", "adapter_model.safetensors", "adaptation.json"),
        *("manifest.json", "training.jsonl"),
    }
    ran = run("adapt", "--reference", genome, "--adapter", out, *words, "--out", over)
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    vectors = []
    for number, adapters in enumerate(((), (out,), (out, over))):
        given = [word for folder in adapters for word in ("--adapter", folder)]
        folder = tmp_path / f"vectors{number}"
        ran = run(
            *("embed", "--fasta", genome, "--checkpoint", tiny_checkpoint, "--quiet"), *given, "--out", folder
        )
        assert ran.code == 0, ran  # type: ignore[attr-defined]
        vectors.append(np.load(folder / "vectors.npy"))
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-6
    assert np.abs(vectors[1] - vectors[2]).max() > 1e-6


def test_trait_values_give_an_adapter_for_predict(
    run: Callable[..., object], tiny_checkpoint: Path, panel: object, tmp_path: Path
) -> None:
    words = [*panel.words(), "--reference", panel.reference]  # type: ignore[attr-defined]
    out = tmp_path / "height"
    ran = run("adapt", *words, "--checkpoint", tiny_checkpoint, "--passes", 1, *QUICK, "--out", out)
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    assert "36 accessions" in ran.out  # type: ignore[attr-defined]
    assert len((out / "accessions.txt").read_text().split()) == 36
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["parameters"]["adapter"]["trait"] == "height"
    ran = run(
        *("predict", *words, "--checkpoint", tiny_checkpoint, "--adapter", out, "--model", "gblup+dna"),
        *("--quiet", "--json", "--out", tmp_path / "predicted"),
    )
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    assert "has learnt from values of height of 36 of these" in ran.out  # type: ignore[attr-defined]


def test_species_with_genes_are_probed_before_and_after(
    run: Callable[..., object], tiny_checkpoint: Path, genome: Path, tmp_path: Path
) -> None:
    fasta, gff = write_genome(tmp_path, ("c1",))
    bare = ("--other", genome, "--other-annotation", "-")  # a species whose genes are not known
    given = ("--reference", genome, *bare, "--other", fasta, "--other-annotation", gff, "--full-control")
    words = ("--steps", 2, "--batch", 2, "--held-out-windows", 60, "--rank", 2, "--quiet", "--json")
    ran = run("adapt", *given, "--checkpoint", tiny_checkpoint, *words, "--out", tmp_path / "own")
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    found = json.loads(ran.out)  # type: ignore[attr-defined]
    probes = {each["probe"] for each in found["probes"]}
    assert {"coding bases, region head", "donor sites, region head"} <= probes
    assert probes == {each["probe"] for each in found["full_control_probes"]}
    assert {each["name"] for each in found["probes"]} == {fasta.name}
    assert "Probes (AUROC before and after)" in found["conclusion"]
    assert "full fine-tuning" in found["conclusion"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "not clear what to adapt to"),
        (("--trait", "height"), "need the genotypes"),
        (("--reference", "GENOME", "--held-out-share", 0.9), "is not possible"),
        (("--reference", "GENOME", "--share", 0), "is not possible"),
        (("--reference", "GENOME", "--learning-rate", 5), "learning rate"),
        (("--reference", "GENOME", "--adapter", "GENOME"), "no such folder"),
    ],
)
def test_wrong_options_are_refused(
    refused: Callable[..., str],
    tiny_checkpoint: Path,
    genome: Path,
    words: tuple[object, ...],
    message: str,
) -> None:
    given = [genome if word == "GENOME" else word for word in words]
    assert message in refused("adapt", *given, "--checkpoint", tiny_checkpoint, "--quiet")


@pytest.mark.parametrize(
    ("lines", "message"), [(3, "only 3 accessions have both"), (40, "trait 'height' has the same value, 5")]
)
def test_values_that_teach_nothing_are_refused(
    refused: Callable[..., str], tiny_checkpoint: Path, panel: Any, lines: int, message: str
) -> None:
    names = [line.split(",")[0] for line in panel.phenotypes.read_text().splitlines()[1:]]
    panel.phenotypes.write_text("".join(["accession,height\n", *(f"{name},5\n" for name in names[:lines])]))
    given = ("--reference", panel.reference, "--checkpoint", tiny_checkpoint, "--quiet")
    assert message in refused("adapt", *panel.words(), *given)


def test_an_adapter_of_another_checkpoint_is_refused(
    run: Callable[..., object],
    refused: Callable[..., str],
    tiny_checkpoint: Path,
    genome: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "own"
    assert (
        run("adapt", "--reference", genome, "--checkpoint", tiny_checkpoint, *QUICK, "--out", out).code == 0
    )  # type: ignore[attr-defined]
    told = refused("embed", "--fasta", genome, "--adapter", out, "--quiet")
    assert "shape" in told or "another encoder" in told


@pytest.mark.parametrize("option", ["--annotation", "--other-annotation"])
def test_genes_of_another_genome_are_refused(
    refused: Callable[..., str], tiny_checkpoint: Path, genome: Path, tmp_path: Path, option: str
) -> None:
    _, gff = write_genome(tmp_path, ("elsewhere",))
    given = ("--reference", genome, "--other", genome, option, gff, "--checkpoint", tiny_checkpoint)
    words = ("--steps", 1, "--batch", 1, "--held-out-windows", 8, "--rank", 1, "--quiet")
    told = refused("adapt", *given, *words)
    assert "no contig of the annotation is in the reference" in told
    assert gff.name in told


def test_genes_on_contigs_that_the_reference_lacks_are_stated(
    run: Callable, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    fasta, gff = write_genome(tmp_path, ("c1", "c2"))
    renamed = tmp_path / "renamed.gff3"
    renamed.write_text(gff.read_text().replace("c1\t", "scaffold_1\t"))
    given = ("--reference", fasta, "--annotation", renamed, "--checkpoint", tiny_checkpoint, "--rank", 1)
    words = ("--steps", 1, "--batch", 1, "--held-out-windows", 8, "--quiet", "--json")
    ran = run("adapt", *given, *words, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    notes = json.loads(ran.out)["notes"]
    assert any("lacks contigs of the annotation, such as 'scaffold_1'" in note for note in notes)
