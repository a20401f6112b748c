"""Progress as lines, for programs that run the command."""

from __future__ import annotations

import pytest

from budwood.progress import progress


def test_lines_are_written_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BUDWOOD_PROGRESS", "lines")
    with progress("embedding", total=3) as advance:
        advance()
        advance(2)
    assert capsys.readouterr().err.splitlines() == ["progress: embedding 1/3", "progress: embedding 3/3"]
