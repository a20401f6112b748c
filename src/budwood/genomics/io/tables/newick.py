"""Newick files as trees of species."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import text_lines
from budwood.genomics.phylogeny import Clade

#: Brackets within brackets at most; every level of a tree is a level of calls in what reads it.
DEEPEST: Final = 200
_TOKEN: Final = re.compile(r"\s*(\[[^\]]*\]|'(?:[^']|'')*'|[(),:;]|[^\s(),:;'\[]+)")


def read_newick(path: Path) -> Clade:
    """Read the first tree of a Newick file (plain, gzip or xz); underscores in bare names are blanks.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Clade
        The root.

    Raises
    ------
    BudwoodError
        If the file holds no tree, or a leaf has no name or one that another leaf bears.
    """
    return parse_newick("\n".join(text_lines(Path(path))), where=str(path))


def parse_newick(text: str, *, where: str = "the tree") -> Clade:
    """A tree from its Newick notation (Olsen's grammar: quoted names, branch lengths, comments).

    Parameters
    ----------
    text
        The tree, up to its semicolon.
    where
        File, for messages.

    Returns
    -------
    Clade
        The root.

    Raises
    ------
    BudwoodError
        As :func:`read_newick`.

    Examples
    --------
    >>> tree = parse_newick("((Oryza_sativa:1,'Zea mays':2)Poaceae:3,Vitis:6);")
    >>> [(leaf.name, leaf.length) for leaf in tree.leaves()]
    [('Oryza sativa', 1.0), ('Zea mays', 2.0), ('Vitis', 6.0)]
    """
    tokens = list(_tokens(text, where))
    open_clades: list[list[Clade]] = [[]]
    position = 0
    while position < len(tokens) and tokens[position] != ";":
        token = tokens[position]
        position += 1
        if token == "(":
            open_clades.append([])
            if len(open_clades) > DEEPEST:
                raise _broken(f"its brackets are nested more than {DEEPEST} deep", where)
            continue
        if token == ",":
            if position == len(tokens) or tokens[position] in ",);":
                raise _broken("a comma has nothing behind it", where)
            continue
        children: tuple[Clade, ...] = ()
        if token == ")":
            if len(open_clades) < 2 or not open_clades[-1]:
                raise _broken("a bracket closes nothing", where)
            children = tuple(open_clades.pop())
        else:
            position -= 1
        name, length, position = _label(tokens, position, where)
        open_clades[-1].append(Clade(name, length, children))
    if len(open_clades) != 1 or len(open_clades[0]) != 1:
        raise _broken("its brackets do not match", where)
    return _checked(open_clades[0][0], where)


def _tokens(text: str, where: str) -> Iterator[str]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _broken("a quote or comment does not end", where)
        position = match.end()
        if not match[1].startswith("["):
            yield match[1]


def _label(tokens: list[str], position: int, where: str) -> tuple[str, float, int]:
    """Name and branch length that stand at a position, and the position after them."""
    name, length = "", 0.0
    if position < len(tokens) and tokens[position] not in "(),:;":
        raw = tokens[position]
        name = raw[1:-1].replace("''", "'") if raw.startswith("'") else raw.replace("_", " ")
        position += 1
    if position < len(tokens) and tokens[position] == ":":
        number = tokens[position + 1] if position + 1 < len(tokens) else ""
        try:
            length = float(number)
        except ValueError:
            length = math.nan
        if not (math.isfinite(length) and length >= 0):
            raise _broken(f"{number!r} is no branch length", where)
        position += 2
    return name, length, position


def _checked(tree: Clade, where: str) -> Clade:
    seen: set[str] = set()
    for leaf in tree.leaves():
        if not leaf.name or leaf.name in seen:
            what = f"two leaves are called {leaf.name!r}" if leaf.name else "a leaf has no name"
            raise BudwoodError(what, where=where, mend="give every species of the tree its own name")
        seen.add(leaf.name)
    return tree


def _broken(reason: str, where: str) -> BudwoodError:
    return BudwoodError(f"this is no Newick tree: {reason}", where=where, mend="give a tree like (A:1,B:2);")
