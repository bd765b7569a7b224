"""What neural functionals satisfy whatever their weights are, and what the shipped one has learned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from densities import FERMI_WAVE_VECTOR, random_ingredients, those_of, uniform_kinetic_energy
from hypothesis import given, settings
from hypothesis import strategies as st
from models import MODELS
from torch import Tensor, nn

import mlxc
from mlxc import Calculation, Crystal, FermiDirac, InputError, PlaneWaves
from mlxc.xc.analysis.domain import outside, reduced_variables
from mlxc.xc.checkpoints.files import checkpoint_of
from mlxc.xc.enhancement import CORRELATION_BOUND, EXCHANGE_BOUND, NeuralEnhancement
from mlxc.xc.functional import Functional
from mlxc.xc.lda import LDA, PW92Correlation, uniform_exchange
from mlxc.xc.sums.weighted_sum import WeightedSum

ROUNDING = 1 + 1e-14


def with_wild_weights(rung: str, seed: int) -> NeuralEnhancement:
    """Weights as large as no training would make them."""
    model = NeuralEnhancement(rung, (6, 6), seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data = 3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return model


weights = st.integers(0, 2**31)
rungs = st.sampled_from(["gga", "mgga"])


@given(rungs, weights)
@settings(max_examples=30)
def test_the_uniform_gas_is_exact_whatever_the_weights(rung: str, seed: int) -> None:
    model = with_wild_weights(rung, seed)
    for rho in (torch.tensor([[1e-6, 0.01, 0.3, 20.0]]).double(), torch.tensor([[0.1, 0.3], [0.1, 0.02]]).double()):
        at_rest = {"rho": rho, "grad": torch.zeros(len(rho), 3, rho.shape[1], dtype=torch.float64)}
        # The total tau of the polarised gas is what correlation sees, that of each spin what exchange does.
        at_rest["tau"] = uniform_kinetic_energy(rho) if len(rho) == 1 else _polarised_kinetic_energy(rho)
        assert torch.allclose(model(**those_of(model, at_rest)), LDA()(rho), rtol=1e-12)


def _polarised_kinetic_energy(rho: Tensor) -> Tensor:
    return 3 / 10 * FERMI_WAVE_VECTOR**2 * 2 ** (2 / 3) * rho ** (5 / 3)


@given(rungs, weights)
@settings(max_examples=30)
def test_exchange_keeps_its_bound_and_correlation_its_sign_whatever_the_weights(rung: str, seed: int) -> None:
    model = with_wild_weights(rung, seed)
    ingredients = those_of(model, random_ingredients(1, largest_s=1e3))
    factor = model.exchange(*ingredients.values()) / uniform_exchange(ingredients["rho"][0])
    assert bool((factor >= 0).all())
    assert bool((factor <= EXCHANGE_BOUND[rung] * ROUNDING).all())
    for nspin in (1, 2):
        ingredients = those_of(model, random_ingredients(nspin, largest_s=1e3))
        factor = model.correlation(*ingredients.values()) / PW92Correlation()(ingredients["rho"])
        assert bool((factor >= 0).all())
        assert bool((factor <= CORRELATION_BOUND * ROUNDING).all())


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
@given(seed=weights)
@settings(max_examples=5)
def test_energy_does_not_care_which_spin_is_called_up(build: Callable[[], nn.Module], seed: int) -> None:
    model = build()
    ingredients = those_of(model, random_ingredients(2, seed=seed))
    swapped = {name: values.flip(0) for name, values in ingredients.items()}
    unsymmetric = {"network-and-lda", "network-and-pbe", "nnlda", "nnpbe"}  # they are given zeta with its sign
    if build not in [MODELS[name] for name in unsymmetric]:
        assert torch.allclose(model(**swapped), model(**ingredients), rtol=1e-12)


def test_the_published_networks_do_care_which_spin_is_called_up() -> None:
    model = MODELS["nnpbe"]()
    ingredients = those_of(model, random_ingredients(2))
    swapped = {name: values.flip(0) for name, values in ingredients.items()}
    assert not torch.allclose(model(**swapped), model(**ingredients), rtol=1e-3)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_an_untrained_functional_converges_or_says_why_not(build: Callable[[], nn.Module], seed: int) -> None:
    model = build()
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        if parameter.dim():
            parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    ground = mlxc.scf(
        Crystal.load("si"), xc=model, basis=PlaneWaves(5.0), kmesh=(2, 2, 2), pseudo="gth", max_iterations=20
    )
    assert np.isfinite(float(ground.energy.detach()))
    assert ground.converged or ground.message.startswith("Not converged: ")


class NotANumber(Functional):
    """A functional that breaks down at low density."""

    def forward(self, rho: Tensor) -> Tensor:
        """A square root of a negative number somewhere."""
        return -(rho.sum(0) - 0.01).sqrt()


def test_a_functional_that_gives_no_number_is_named_as_the_cause() -> None:
    with pytest.raises(InputError, match=r"potential is not a finite number at .* electrons/bohr\^3"):
        mlxc.scf(Crystal.load("si"), xc=NotANumber(), basis=PlaneWaves(5.0), kmesh=(1, 1, 1), pseudo="gth")


@pytest.mark.parametrize("text", ["0.75*pbe + 0.25*lda", "lda - 0.75 * lda + .75*pbe", "7.5e-1*PBE + 0.25*lda"])
def test_sums_of_functionals_are_understood(text: str) -> None:
    ingredients = those_of(mlxc.functional("pbe"), random_ingredients(2))
    parts = {name: mlxc.functional(name)(**those_of(mlxc.functional(name), ingredients)) for name in ("pbe", "lda")}
    assert torch.allclose(mlxc.functional(text)(**ingredients), 0.75 * parts["pbe"] + 0.25 * parts["lda"])


@pytest.mark.parametrize("text", ["0.5*", "pbe +", "+", "", "1e999*pbe", "0.5*pbe + 0.5*nonsense", "pbe * 0.5"])
def test_a_sum_that_is_none_gets_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match="xc: "):
        mlxc.functional(text)


def test_another_package_offers_a_functional_through_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("our-lda", "mlxc.xc.lda:LDA", "mlxc.functionals")
    monkeypatch.setattr("mlxc.xc.catalogue.entry_points_of", lambda group: (point,))
    assert isinstance(mlxc.functional("our-lda"), LDA)
    assert isinstance(mlxc.functional("0.5*our-lda"), WeightedSum)


def test_reduced_variables_of_a_uniform_polarised_gas() -> None:
    rho = torch.tensor([[0.2], [0.1]], dtype=torch.float64)
    variables = reduced_variables(rho, torch.zeros(2, 3, 1).double(), _polarised_kinetic_energy(rho))
    expected = {"rs": (3 / (4 * np.pi * 0.3)) ** (1 / 3), "zeta": 1 / 3, "s": 0.0, "alpha": 1.0}
    assert {name: float(value[0]) for name, value in variables.items()} == pytest.approx(expected)


def test_points_beyond_any_bound_are_outside_a_domain() -> None:
    variables = {"rs": torch.tensor([1.0, 1.0, 9.0, 0.01]), "s": torch.tensor([0.5, 3.5, 0.5, 0.5])}
    assert outside({"rs": (0.1, 5.0), "s": (None, 3.0), "alpha": (0, 1)}, variables).tolist() == [
        False,
        True,
        True,
        True,
    ]


def test_an_scf_reports_what_a_checkpoint_has_not_seen_in_training() -> None:
    settings = {"structure": "graphene", "pseudo": "gth", "ecut_ha": 10, "kmesh": (2, 2, 1), "tolerance": 1e-3}
    ground = Calculation.from_dict({**settings, "xc": "pbe-proxy"}).run()
    shares = ground.summary()["outside_training_domain"]
    record = checkpoint_of("pbe-proxy")
    assert record is not None
    # The vacuum between the sheets is thinner than anything in the training, but holds hardly any electrons.
    density = ground.density.sum(0)
    thinnest = 3 / (4 * np.pi * record.domain["rs"][1] ** 3)
    expected = float((density < thinnest).double().mean())
    assert shares["volume"] == pytest.approx(expected, abs=0.02)
    assert 0.2 < shares["volume"] < 0.8
    assert shares["electrons"] < 1e-3
    assert Calculation.from_dict({**settings, "xc": "pbe"}).run().summary()["outside_training_domain"] is None


PROXY_CASES = {
    "al": {"kmesh": (4, 4, 4)},
    "si": {},
    "ca": {"kmesh": (3, 3, 3)},
    "ni": {"kmesh": (3, 3, 3), "spin": True},
    "graphene": {"kmesh": (4, 4, 1)},
}


MARKS = {"al": (), "si": pytest.mark.thorough}


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, pytest.mark.slow)) for name in PROXY_CASES])
def test_the_network_that_has_learned_pbe_gives_its_energy_to_a_millihartree_per_atom(name: str) -> None:
    energies = []
    for xc in ("pbe", "pbe-proxy"):
        ground = Calculation.from_dict({"structure": name, "xc": xc, **PROXY_CASES[name]}).run()
        assert ground.converged
        energies.append(float(ground.energy.detach()) / len(ground.crystal.species))
    assert energies[1] == pytest.approx(energies[0], abs=1e-3)


def test_a_plain_module_with_declared_ingredients_is_a_functional() -> None:
    class SlaterExchange(nn.Module):
        ingredients = ("rho",)

        def forward(self, rho: Tensor) -> Tensor:
            return LDA().exchange(rho)

    own, libxc = (
        mlxc.scf(
            Crystal.load("al"),
            xc=xc,
            basis=PlaneWaves(8.0),
            kmesh=(2, 2, 2),
            smearing=FermiDirac(0.02),
            pseudo="pseudodojo-pbe",  # by default each would take the table of its own kind
        )
        for xc in (SlaterExchange(), "lda_x")
    )
    assert own.converged
    assert own.energies["xc"] == pytest.approx(libxc.energies["xc"], abs=1e-6)
    assert float(own.energy) == pytest.approx(float(libxc.energy), abs=1e-8)
