"""Meristem: a DNA foundation model for plant science.

Importing the package brings neither torch nor any reader; import the noun or verb you need, for
example ``from meristem.genomics.genotypes import Genotypes``.
"""

__version__ = "0.1.0"
