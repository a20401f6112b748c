"""Command lines of the benchmarks."""

from __future__ import annotations

import argparse


def parser_for(docstring: str | None) -> argparse.ArgumentParser:
    """A parser whose help shows the docstring of the script as it is."""
    return argparse.ArgumentParser(
        description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter
    )
