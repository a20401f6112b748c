"""Make the pictures of docs/gallery.md from simulated panels: run commands, photograph their reports.

Needs chromium, chromedriver and selenium; about a minute on one core.

    python tools/make_pictures.py                # all of docs/pictures but report.png
    python tools/make_pictures.py --only lesson  # names from the list below
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budwood.cli.app import main as budwood
from budwood.simulate.clade.clade import simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.files import write_clade
from budwood.simulate.clade.trait import CladeTraitConfig, simulate_clade_trait
from budwood.simulate.files import DemoConfig, write_panel
from budwood.simulate.population import PopulationConfig
from budwood.simulate.species import SpeciesConfig
from budwood.simulate.trait import TraitConfig

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"


@dataclass(frozen=True)
class Picture:
    """A part of a page: the page, an element, and the size of the picture, which begins above the element."""

    page: str
    element: str
    width: int = 1100
    height: int = 700
    above: int = 12


#: By file name. An element is a CSS selector.
SHOTS = {
    "prediction": Picture("predicted/report.html", "body", height=900),
    "accuracy": Picture("compared/report.html", "body"),
    "genome-plot": Picture("attributed/report.html", "svg.genome", height=385, above=80),
    "transfer": Picture("pair/report.html", "body", height=800),
    "lesson": Picture("lesson.html", "#first", height=900),
    "lesson-arms": Picture("lesson.html", "#second", height=760),
    "lesson-phone": Picture("lesson.html", "body", width=400, height=800),
}


def run(*words: object) -> None:
    """One command of the command line; it must succeed."""
    if budwood([str(word) for word in (*words, "--quiet")]) != 0:
        raise SystemExit(f"failed: budwood {' '.join(map(str, words))}")


def write_panel_pages(folder: Path) -> None:
    """Prediction, comparison and attribution of one simulated panel, by markers alone."""
    species = SpeciesConfig(contigs=3, contig_length=60_000, genes_per_contig=12, transposons_per_contig=5)
    lines = PopulationConfig(lines=120)
    files = write_panel(
        folder / "panel", DemoConfig(species, lines, TraitConfig(causal=12, heritability=0.7, phenotyped=70))
    )
    trait = files.phenotypes.read_text().splitlines()[0].split(",")[1]
    given = ("--genotypes", files.genotypes, "--phenotypes", files.phenotypes, "--trait", trait)
    run("predict", *given, "--out", folder / "predicted")
    run("evaluate", *given, "--models", "gblup,gaussian", "--out", folder / "compared")
    run(
        "attribute",
        *given,
        "--model",
        "gblup",
        "--annotation",
        files.annotation,
        "--out",
        folder / "attributed",
    )


def write_transfer_page(folder: Path) -> None:
    """Transfer between two close species."""
    lines = PopulationConfig(lines=90, pool_size=150, founder_size=300, mutation_rate=2e-6)
    clade = simulate_clade(
        CladeConfig(tree="(major:0.02,orphan:0.02);", contigs=2, genes_per_contig=25, population=lines)
    )
    write_clade(
        folder / "clade",
        clade,
        [("height", simulate_clade_trait(clade, CladeTraitConfig(genes=10, heritability=0.8)))],
    )
    source, target = folder / "clade" / "major", folder / "clade" / "orphan"
    run(
        *(
            "transfer",
            "evaluate",
            "--trait",
            "height",
            "--reach",
            500,
            "--draws",
            4,
            "--sizes",
            "0,25,50",
        ),
        *("--source-genotypes", source / "genotypes.vcf.gz", "--source-phenotypes", source / "field.csv"),
        *("--target-genotypes", target / "genotypes.vcf.gz", "--target-phenotypes", target / "field.csv"),
        *("--orthologs", folder / "clade" / "orthologs.csv", "--source-genes", source / "annotation.gff3"),
        *("--target-genes", target / "annotation.gff3", "--source-name", "major", "--target-name", "orphan"),
        *("--source-provenance", "field", "--target-provenance", "field", "--out", folder / "pair"),
    )


def open_browser(profile: Path) -> Any:
    """Headless chromium that shows light pages without animation."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    return webdriver.Chrome(
        options=options, service=webdriver.ChromeService(str(shutil.which("chromedriver")))
    )


def photograph(driver: Any, page: Path, picture: Picture, target: Path) -> None:
    """Write a part of a page as PNG with few colours."""
    import base64

    size = {"width": picture.width, "height": picture.height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(page.as_uri())
    top = driver.execute_script(
        "const e = document.querySelector(arguments[0]);"
        "return e ? Math.max(0, e.getBoundingClientRect().top + scrollY - arguments[1]) : 0",
        picture.element,
        picture.above,
    )
    driver.execute_script("return document.fonts.ready.then(() => 1)")
    clip = {"x": 0, "y": top, "width": picture.width, "height": picture.height, "scale": 1}
    shot = driver.execute_cdp_cmd(
        "Page.captureScreenshot",
        {"format": "webp", "quality": 70, "clip": clip, "captureBeyondViewport": True},
    )
    target.write_bytes(base64.b64decode(shot["data"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=sorted(SHOTS), default=sorted(SHOTS))
    wanted = {name: SHOTS[name] for name in parser.parse_args().only}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pages = {picture.page for picture in wanted.values()}
        if any(page.startswith(("predicted", "compared", "attributed")) for page in pages):
            write_panel_pages(folder)
        if "pair/report.html" in pages:
            write_transfer_page(folder)
        if "lesson.html" in pages:
            run("lesson", "--out", folder / "lesson.html")
        driver = open_browser(folder / "profile")
        try:
            for name, picture in wanted.items():
                photograph(driver, folder / picture.page, picture, PICTURES / f"{name}.webp")
                print(PICTURES / f"{name}.webp", flush=True)
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
