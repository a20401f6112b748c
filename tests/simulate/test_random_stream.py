from budwood.simulate.random_stream import random_stream


def test_a_stream_depends_on_seed_and_every_word_in_order() -> None:
    names = [(1, "gene"), (2, "gene"), (1, "gene", "Chr1"), (1, "gene", "Chr2"), (1, "Chr1", "gene")]
    draws = {random_stream(seed, *words).bytes(8) for seed, *words in names}
    assert len(draws) == len(names)
    assert random_stream(1, "gene", "Chr1").bytes(8) == random_stream(1, "gene", "Chr1").bytes(8)
