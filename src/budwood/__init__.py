"""Budwood: a DNA foundation model for plant science.

Importing the package brings neither torch nor any reader; import the noun or verb you need, for
example ``from budwood.genomics.genotypes import Genotypes``. It has one effect: where transformers is used
in the same process, its auto classes know Budwood's encoder.
"""

from budwood.model.auto_classes import register_with_transformers

__version__ = "0.1.0"

register_with_transformers()
