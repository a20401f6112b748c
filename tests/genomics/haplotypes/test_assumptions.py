from __future__ import annotations

from budwood.genomics.haplotypes.assumptions import Assumption, describe_assumptions


def test_every_assumption_can_be_told() -> None:
    lines = describe_assumptions(dict.fromkeys(Assumption, 1000))
    assert len(lines) == len(set(lines)) == len(Assumption)
    assert lines[0] == "1,000 sites read"
