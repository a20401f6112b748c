"""The values of a trait that models learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budwood.panel.accession_means import AccessionMeans
    from budwood.panel.files import PanelFiles
    from budwood.panel.panel import Panel


def trait_values(panel: Panel, files: PanelFiles, trait: str) -> AccessionMeans:
    """Values by accession, adjusted for environments and, where there is a table of them, for covariates.

    Parameters
    ----------
    panel, files
        The panel, and the files it was read from.
    trait
        Name of the trait.

    Returns
    -------
    AccessionMeans
        Means by accession with their weights.

    Raises
    ------
    BudwoodError
        If the trait or the covariates cannot be used.
    """
    means = panel.accession_means(trait)
    if files.covariates is None:
        return means
    from budwood.genomics.io.tables.phenotypes.covariates import read_covariates
    from budwood.prediction.covariates import adjust_for_covariates

    return adjust_for_covariates(
        panel.genotypes, means, read_covariates(files.covariates), trait, kinship=panel.kinship
    )
