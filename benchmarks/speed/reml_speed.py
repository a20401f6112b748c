"""Spectral REML of four traits compared with plain dense REML, in one run, on the rice panel.

Dense REML inverts the covariance once for each step. Both search the same profile likelihood of the kernel's
share with Brent's method to the same tolerance, so that only the linear algebra differs. Seconds of R rrBLUP
on wheat_cimmyt599 (reference/wheat599_rrblup.csv) are printed beside ours for the same fits.

    OMP_NUM_THREADS=1 python benchmarks/speed/reml_speed.py      # needs BUDWOOD_DATA
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize_scalar

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.timing import cpu_seconds
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.spectral_reml import spectral_reml
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import relationship

TRAITS = ("Plant_height", "Flowering_time_at_Arkansas", "Amylose_content", "Seed_length")
REPEATS = 3


def main() -> None:
    parser_for(__doc__).parse_args()
    data = data_folder()
    console = Console()
    kernel_seconds, kernel, traits = rice(data)
    spectral_seconds, spectral = cpu_seconds(lambda: shared_spectrum(kernel, traits), REPEATS)
    dense_seconds, (dense, steps) = cpu_seconds(lambda: dense_reml(kernel, traits), REPEATS)
    table = Table(
        "trait", "Vu", "Ve", "dense Vu", "dense Ve", "dense steps", title="374 x 36,901 rice, 4 traits"
    )
    for name, fast, slow, count in zip(TRAITS, spectral, dense, steps, strict=True):
        numbers = (fast.kernels[0], fast.residual, slow.kernels[0], slow.residual)
        table.add_row(name, *(f"{number:.5g}" for number in numbers), str(count))
    console.print(table)
    console.print(f"relationship matrix        {kernel_seconds:8.3f} s")
    console.print(f"spectral REML, 4 traits    {spectral_seconds:8.4f} s")
    console.print(f"dense REML, 4 traits       {dense_seconds:8.4f} s")
    console.print(f"dense / spectral           {dense_seconds / spectral_seconds:8.1f} x")
    wheat_seconds, theirs = wheat(data)
    console.print(
        f"wheat 599 x 1,279, one trait with relationship, REML and BLUP: {wheat_seconds:.3f} s here, "
    )
    console.print(f"R rrBLUP's mixed.solve with A.mat took {theirs:.2f} s on the machine of the reference")


def rice(data: Path) -> tuple[float, NDArray[np.float64], list[NDArray[np.float64]]]:
    """The relationship matrix and four traits; accessions without a value get the mean of the trait."""
    stored = np.load(data / "panels/rice_rdp1_44k/geno.npz")
    ids, dosage = [str(i) for i in stored["ids"]], stored["dosage"]
    table = pd.read_csv(data / "panels/rice_rdp1_44k/pheno.csv", dtype={"id": str}).set_index("id")
    values = table.reindex(ids)[list(TRAITS)].astype(float)
    values = values.fillna(values.mean())
    seconds, kernel = cpu_seconds(lambda: relationship(dosage, np.full(len(ids), 2, dtype=np.int8)), REPEATS)
    return seconds, kernel, [values[name].to_numpy() for name in TRAITS]


def shared_spectrum(
    kernel: NDArray[np.float64], traits: list[NDArray[np.float64]]
) -> list[VarianceComponents]:
    shared = spectral_reml(kernel, whitened_design(len(kernel)))
    return [shared.fit(y) for y in traits]


def dense_reml(
    kernel: NDArray[np.float64], traits: list[NDArray[np.float64]]
) -> tuple[list[VarianceComponents], list[int]]:
    found, steps = [], []
    for y in traits:
        search = minimize_scalar(
            lambda h, y=y: -dense_profile(h, kernel, y)[0],
            bounds=(1e-6, 1.0 - 1e-6),
            method="bounded",
            options={"xatol": 1e-8},
        )
        value, scale = dense_profile(search.x, kernel, y)
        found.append(VarianceComponents((scale * search.x,), scale * (1.0 - search.x), value))
        steps.append(search.nfev)
    return found, steps


def dense_profile(h: float, kernel: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Restricted log-likelihood at the share h and the scale, by one inverse."""
    n = len(y)
    covariance = h * kernel
    covariance[np.diag_indices(n)] += 1.0 - h
    inverse = np.linalg.inv(covariance)
    ones = inverse.sum(axis=0)
    projected = inverse @ y - ones * (ones @ y) / ones.sum()
    scale = float(y @ projected) / (n - 1)
    logs = np.linalg.slogdet(covariance)[1] + np.log(ones.sum()) - np.log(n)
    return -0.5 * float(logs + (n - 1) * (np.log(2.0 * np.pi * scale) + 1.0)), scale


def wheat(data: Path) -> tuple[float, float]:
    stored = np.load(data / "panels/wheat_cimmyt599/geno.npz")
    y = pd.read_csv(data / "panels/wheat_cimmyt599/pheno.csv")["X1"].to_numpy()

    def fit() -> object:
        kernel = relationship(stored["dosage"], np.full(599, 2, dtype=np.int8))
        components = spectral_reml(kernel, whitened_design(599)).fit(y)
        return blup(y, [kernel], components).predict([kernel], [np.diagonal(kernel)])

    theirs = pd.read_csv(data / "reference/wheat599_rrblup.csv")["sec"]
    return cpu_seconds(fit, REPEATS)[0], float(theirs.mean())


if __name__ == "__main__":
    main()
