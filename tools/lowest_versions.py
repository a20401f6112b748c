"""Installs the lowest versions that pyproject.toml allows into a fresh environment and tries the package.

``python tools/lowest_versions.py`` writes every lower bound of the dependencies (and of the extras ``excel``
and ``pgen``) as an exact version, installs Budwood with these, then imports it, inspects and predicts a small
panel and embeds a short sequence. ``--keep torch`` takes the version of constraints.txt for a package: on
Linux the lowest torch brings several gigabytes of CUDA libraries.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[1]
EXTRAS: Final = ("excel", "pgen")


def lower_bounds() -> dict[str, str]:
    """The lower bound of every package that is needed on this platform, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra in EXTRAS:
        lines += project["optional-dependencies"][extra]
    bounds = {}
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate():
            lowest = [limit.version for limit in requirement.specifier if limit.operator == ">="]
            if len(lowest) != 1:
                sys.exit(f"{requirement.name} has no lower bound in pyproject.toml: give it one")
            bounds[requirement.name] = lowest[0]
    return bounds


def tested_version(name: str) -> str:
    """The version of a package in constraints.txt."""
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        package, _, version = line.partition("==")
        if package.lower() == name.lower():
            return version
    sys.exit(f"{name} is not in constraints.txt")


def write_panel(folder: Path) -> None:
    """A VCF of 40 inbred lines and 60 markers, a trait of 30 of them, and a sequence."""
    draw = random.Random(1)
    names = [f"line{k}" for k in range(40)]
    effects = [draw.gauss(0, 1) for _ in range(60)]
    values = [0.0] * len(names)
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines += ["##contig=<ID=1,length=100000>"]
    lines += ["\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t"), *names])]
    for k, effect in enumerate(effects):
        calls = [draw.random() < 0.4 for _ in names]
        values = [value + effect * call for value, call in zip(values, calls, strict=True)]
        cells = ["1/1" if call else "0/0" for call in calls]
        lines.append("\t".join(["1", str(1000 + 100 * k), f"m{k}", "A", "G", ".", ".", ".", "GT", *cells]))
    (folder / "panel.vcf").write_text("\n".join(lines) + "\n")
    trait = [f"{name},{value:.3f}" for name, value in zip(names[:30], values, strict=False)]
    (folder / "trait.csv").write_text("\n".join(["accession,yield", *trait]) + "\n")
    (folder / "short.fa").write_text(">short\n" + "".join(draw.choices("ACGT", k=700)) + "\n")


def smoke_commands(python: Path) -> list[list[str]]:
    """What must work with the lowest versions."""
    budwood = str(python.with_name("budwood"))
    panel = ["--genotypes", "panel.vcf", "--phenotypes", "trait.csv"]
    return [
        [str(python), "-W", "error::DeprecationWarning", "-c", "import budwood; print(budwood.__version__)"],
        [budwood, "inspect", "panel.vcf"],
        [budwood, "predict", *panel, "--trait", "yield", "--out", "predicted"],
        [budwood, "embed", "--fasta", "short.fa", "--out", "embedded"],
        [budwood, "verify", "predicted"],
        [budwood, "verify", "embedded"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--keep", nargs="*", default=[], help="packages that keep the version of constraints.txt"
    )
    parser.add_argument("--environment", type=Path, help="folder of the new environment, which is kept")
    parser.add_argument("--pip-python", default=sys.executable, help="a Python that has pip")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        environment = (options.environment or work / "environment").resolve()
        bounds = {
            name: tested_version(name) if name in options.keep else version
            for name, version in lower_bounds().items()
        }
        (work / "lowest.txt").write_text("".join(f"{name}=={version}\n" for name, version in bounds.items()))
        print((work / "lowest.txt").read_text(), flush=True)
        began = time.monotonic()
        venv.create(environment)
        python = environment / "bin" / "python"
        pip = [options.pip_python, "-m", "pip", "--python", str(python)]
        target = f"{ROOT}[{','.join(EXTRAS)}]"
        only = ["--progress-bar", "off", "--only-binary", ":all:", "--constraint", str(work / "lowest.txt")]
        subprocess.run([*pip, "install", *only, target], check=True)
        subprocess.run([*pip, "check"], check=True)
        print(f"installed in {time.monotonic() - began:.0f} s", flush=True)
        write_panel(work)
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        for command in smoke_commands(python):
            began = time.monotonic()
            print("$", *(Path(part).name for part in command), flush=True)
            subprocess.run(command, cwd=work, env=clean, check=True, stdout=subprocess.DEVNULL)
            print(f"  {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
