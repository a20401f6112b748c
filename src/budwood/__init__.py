"""Budwood: a DNA foundation model for plant science.

The public names are below; each is imported when it is first used, so that ``import budwood`` brings neither
torch nor numpy nor any reader. It has no effect outside the package: the auto classes of transformers know
Budwood's encoder from ``import budwood.model`` on. docs/api.md shows what each name is for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from budwood.errors import BudwoodError
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
    from budwood.genomics.io.variants.open_genotypes import read_genotypes
    from budwood.inference.embedding import embed
    from budwood.model.checkpoint import load_checkpoint
    from budwood.panel.example import example_panel, write_example
    from budwood.panel.haplotypes import build_haplotypes
    from budwood.panel.panel import Panel
    from budwood.prediction.trait_model import TraitModel
    from budwood.workflows.cross_validate import ClusterKFold, GroupKFold, RandomKFold, cross_validate
    from budwood.workflows.index import selection_index
    from budwood.workflows.pretrain import pretrain
    from budwood.workflows.select import select_training_set
    from budwood.workflows.variants.score_variants import score_variants

__version__ = "0.1.0"

__all__ = [
    "BudwoodError",
    "ClusterKFold",
    "GroupKFold",
    "Panel",
    "RandomKFold",
    "TraitModel",
    "build_haplotypes",
    "cross_validate",
    "embed",
    "example_panel",
    "load_checkpoint",
    "open_fasta",
    "pretrain",
    "read_genotypes",
    "read_phenotypes",
    "score_variants",
    "select_training_set",
    "selection_index",
    "write_example",
]

_HOME = {
    "BudwoodError": "errors",
    "ClusterKFold": "workflows.cross_validate",
    "GroupKFold": "workflows.cross_validate",
    "Panel": "panel.panel",
    "RandomKFold": "workflows.cross_validate",
    "TraitModel": "prediction.trait_model",
    "build_haplotypes": "panel.haplotypes",
    "cross_validate": "workflows.cross_validate",
    "embed": "inference.embedding",
    "example_panel": "panel.example",
    "load_checkpoint": "model.checkpoint",
    "open_fasta": "genomics.io.sequence.fasta",
    "pretrain": "workflows.pretrain",
    "read_genotypes": "genomics.io.variants.open_genotypes",
    "read_phenotypes": "genomics.io.tables.phenotypes.read_phenotypes",
    "score_variants": "workflows.variants.score_variants",
    "select_training_set": "workflows.select",
    "selection_index": "workflows.index",
    "write_example": "panel.example",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
