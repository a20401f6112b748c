"""Lines with hardly any calls are left out of training, and named."""

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.compare import Design, compare_models
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.missing_calls import grouped_notes, named_lines
from budwood.prediction.models.registry import model_named
from budwood.prediction.phenotyped import match_phenotyped
from budwood.prediction.predict import predict_trait
from budwood.prediction.trait_model import TraitModel


@pytest.fixture
def panel() -> tuple[Genotypes, dict[str, float]]:
    generator = np.random.default_rng(1)
    dosage = generator.integers(0, 3, (60, 200)).astype(np.int8)
    names = [f"line{i:02d}" for i in range(60)]
    y = dosage @ generator.normal(size=200) / 10 + generator.normal(size=60)
    return Genotypes.from_matrix(names, dosage), dict(zip(names[:45], y.tolist(), strict=False))


@pytest.mark.usefixtures("unevaluated")
@pytest.mark.parametrize("calls", [0, 1])
def test_a_phenotyped_line_without_calls_changes_nothing(panel, calls: int) -> None:
    genotypes, values = panel
    blank = np.full((1, 200), -1, dtype=np.int8)
    blank[0, :calls] = 1
    with_blank = Genotypes.from_matrix([*genotypes.accessions, "blank"], np.vstack([genotypes.dosage, blank]))
    before, _ = predict_trait(genotypes, values, "t")
    after, _ = predict_trait(with_blank, {**values, "blank": 300.0}, "t")
    assert after.variance_shares == before.variance_shares
    np.testing.assert_allclose(after.prediction[:60], before.prediction, rtol=1e-12)
    assert np.isnan(after.observed[60])
    assert any("1 line (blank) has a value and no or hardly any calls" in note for note in after.notes)
    fitted = TraitModel("gblup").fit(with_blank, {**values, "blank": 300.0})
    assert "blank" not in fitted.training.accessions
    assert fitted.variance_shares == pytest.approx(before.variance_shares)


@pytest.mark.usefixtures("unevaluated")
def test_candidates_without_calls_are_named_and_uncertain(panel) -> None:
    genotypes, values = panel
    dosage = genotypes.dosage.copy()
    dosage[50] = -1
    dosage[51, 40:] = -1
    found, _ = predict_trait(Genotypes.from_matrix(genotypes.accessions, dosage), values, "t")
    assert any("1 line (line50) has no or hardly any calls" in note for note in found.notes)
    assert any("1 line (line51) has no call at over half" in note for note in found.notes)
    others = np.r_[45:50, 52:60]
    assert found.reliability[50] < 0.3 * found.reliability[others].min()
    assert found.standard_error[50] > found.standard_error[others].mean()


def test_fewer_lines_with_calls_than_a_model_needs_are_refused(panel) -> None:
    genotypes, values = panel
    dosage = genotypes.dosage.copy()
    dosage[:40] = -1
    with pytest.raises(Exception, match="only 5 accessions have"):
        match_phenotyped(Genotypes.from_matrix(genotypes.accessions, dosage), values, "t")


def test_a_long_list_of_names_is_cut() -> None:
    assert named_lines([f"l{i}" for i in range(9)]) == "9 lines (l0, l1, l2, l3, l4, ...) have"


@pytest.mark.parametrize("share", [0.0, 0.8, 0.95])
def test_intervals_hold_where_candidates_lack_most_calls(share: float) -> None:
    inside, squares, variances = [], [], []
    for seed in range(6):
        generator = np.random.default_rng(seed)
        families = generator.uniform(0.05, 0.95, (4, 300))
        dosage = generator.binomial(2, families[generator.integers(0, 4, 180)]).astype(np.int8)
        genetic = dosage @ generator.standard_normal(300)
        genetic = (genetic - genetic.mean()) / genetic.std()
        y = genetic + generator.standard_normal(180)
        dosage[(generator.random(dosage.shape) < share) & (np.arange(180) >= 80)[:, None]] = -1
        kernels = PanelKernels(Genotypes.from_matrix([f"l{i:03d}" for i in range(180)], dosage))
        rows, left = np.arange(80), np.arange(80, 180)
        said = model_named("gblup").fit(kernels, rows, y[rows]).predict(kernels.lines(left, rows))
        inside.append(np.mean((said.lower_90 <= y[left]) & (y[left] <= said.upper_90)))
        squares.append(np.mean((said.value - genetic[left]) ** 2))
        variances.append(np.mean(said.standard_error**2))
    assert 0.85 < np.mean(inside) < 0.96
    assert 0.75 < np.sqrt(np.mean(variances) / np.mean(squares)) < 1.25


def _missing(genotypes: Genotypes, where: np.ndarray) -> Genotypes:
    dosage = genotypes.dosage.copy()
    dosage[where] = -1
    return Genotypes.from_matrix(genotypes.accessions, dosage)


@pytest.mark.usefixtures("unevaluated")
def test_calls_missing_by_family_are_said_with_what_to_do(panel) -> None:
    genotypes, values = panel
    generator = np.random.default_rng(3)
    family = generator.integers(0, 5, 60)
    by_family = _missing(genotypes, (generator.random((5, 200)) < 0.3)[family])
    found, _ = predict_trait(by_family, values, "t")
    said = [note for note in found.notes if "which ones follows families" in note]
    assert len(said) == 1
    assert "give the groups as a covariate" in said[0]
    assert len(grouped_notes(by_family)) == 1


def test_calls_missing_at_random_or_hardly_any_are_no_pattern(panel) -> None:
    genotypes, _ = panel
    generator = np.random.default_rng(4)
    assert grouped_notes(_missing(genotypes, generator.random((60, 200)) < 0.3)) == ()
    few = (generator.random((5, 200)) < 0.04)[generator.integers(0, 5, 60)]
    assert grouped_notes(_missing(genotypes, few)) == ()
    assert grouped_notes(genotypes) == ()


def test_an_evaluation_says_it_too(panel) -> None:
    genotypes, values = panel
    generator = np.random.default_rng(5)
    where = (generator.random((4, 200)) < 0.3)[generator.integers(0, 4, 60)]
    found = compare_models(_missing(genotypes, where), values, "t", Design(("gblup",), repeats=1))
    assert sum("which ones follows families" in note for note in found.notes) == 1
