"""What a training costs: operations counted by hand, and speeds that are positive."""

from __future__ import annotations

import torch

from budwood.model.encoder import BudwoodConfig, BudwoodEncoder
from budwood.training.monitoring.live_line import LiveLine
from budwood.training.monitoring.speed import bases_per_second, measured_peak, operations_per_base


def test_operations_of_matrix_products_and_convolutions() -> None:
    c, d, patch, kernel, window = 8, 16, 4, 5, 32
    config = BudwoodConfig(stem_channels=c, hidden_size=d, layers=1, heads=2, patch=patch, kernel=kernel)
    read = (2 * kernel + 1) * 6 * c
    block = kernel * c * c + c * c
    joined = 2 * c * d
    attention = (3 * d * d + d * d + 8 * d * d) / patch + 2 * (window / patch) * d / patch
    heads = c * (4 + config.regions)
    forward = 2 * (read + 2 * block + joined + attention + heads)
    assert operations_per_base(BudwoodEncoder(config), window) == 3 * forward


def test_measured_speeds_leave_the_weights_alone() -> None:
    encoder = BudwoodEncoder(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    assert bases_per_second(encoder, 32, 2, "no") > 0
    assert measured_peak(torch.device("cpu"), "no", seconds=0.01) > 1e6
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_the_live_line_says_how_it_goes_to_those_who_watch(capsys) -> None:
    LiveLine(1000, show=False).tell(100, {"span": 1.3}, 2e4, 0.1, 60)
    assert capsys.readouterr().err == ""
    line = LiveLine(1000, show=True)
    line.tell(100, {"span": 1.3}, 2e4, 0.123, 3661)
    line.close()
    assert (
        "training 100/1,000 | span 1.300 | 20,000 bases/s, 12% of peak | 1:01:01 left"
        in capsys.readouterr().err
    )
