"""Budwood: a DNA foundation model for plant science.

Importing the package brings neither torch nor any reader; import the noun or verb you need, for
example ``from budwood.genomics.genotypes import Genotypes``. It has no effect outside the package: the auto
classes of transformers know Budwood's encoder from ``import budwood.model`` on.
"""

__version__ = "0.1.0"
