"""Gradients through the self-consistent field: against finite differences, the unrolled SCF, and identities."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from differences import check_gradient
from torch import Tensor, nn

import mlxc
from mlxc import Crystal, FermiDirac, GaussianOrbitals, GroundState, InputError, MarzariVanderbilt, PlaneWaves
from mlxc.basis.planewave import plane_wave_set
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.kohn_sham.start.guess import starting_orbitals, with_more_orbitals
from mlxc.properties.forces import forces_and_stress
from mlxc.response.gradient_flow import gradient_flow
from mlxc.response.levels import band_gap
from mlxc.response.loss import Cotangents
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.gga import PBE

SETTINGS: dict[str, dict[str, Any]] = {
    "insulator": {"crystal": "si", "kmesh": (2, 2, 2)},
    "metal": {"crystal": "al", "kmesh": (3, 3, 3), "smearing": FermiDirac(0.02)},
    "cold smearing": {"crystal": "al", "kmesh": (3, 3, 3), "smearing": MarzariVanderbilt(0.02)},
    "magnet": {"crystal": "ni", "kmesh": (2, 2, 2), "smearing": FermiDirac(0.01), "spin": True, "ecut": 12.0},
    "fixed moment": {"crystal": "ni", "kmesh": (2, 2, 2), "smearing": FermiDirac(0.01), "spin": True, "ecut": 12.0,
                     "total_moment": 0.6},
    "insulator in Gaussians": {"crystal": "si", "kmesh": (2, 2, 2), "basis": GaussianOrbitals("gth-szv", ecut=8.0)},
    "metal in Gaussians": {"crystal": "al", "kmesh": (3, 3, 3), "smearing": FermiDirac(0.02),
                           "basis": GaussianOrbitals("gth-dzvp", ecut=8.0)},
    "magnet in Gaussians": {"crystal": "h", "kmesh": (2, 1, 1), "smearing": FermiDirac(0.02), "spin": True,
                            # The moment is soft: finite differences of it see what an SCF leaves at 1e-10.
                            "tolerance": 1e-13, "basis": GaussianOrbitals("gth-dzvp", fft_grid=(16, 20, 20))},
}  # fmt: skip
MODELS: dict[str, Callable[[], nn.Module]] = {
    "two parameters": lambda: PBE(trainable=True),
    "local network": lambda: NeuralEnhancement("lda", (4,), seed=3),
    "gradient network": lambda: NeuralEnhancement("gga", (4,), seed=3),
    "meta network": lambda: NeuralEnhancement("mgga", (4,), seed=3),
}
DISTORTED = Crystal(
    [[0, 5.13, 5.13], [5.13, 0, 5.13], [5.13, 5.13, 0]], ["Si", "Si"], [[0.01, 0.01, 0.01], [0.25, 0.25, 0.25]]
)

# A row of atoms that keep most of their moments.
HYDROGEN = Crystal([[6, 0, 0], [0, 7, 0], [0, 0, 7]], ["H"], [[0, 0, 0]], [1.0], "h")


def ground_state(setting: str, xc: nn.Module, **more: Any) -> GroundState:
    settings = {"tolerance": 1e-10, "pseudo": "gth"} | SETTINGS[setting] | more
    crystal, ecut = settings.pop("crystal"), settings.pop("ecut", 8.0)
    basis = settings.pop("basis", PlaneWaves(ecut))
    if crystal == "ni":
        settings.pop("pseudo")
    ground = mlxc.scf(HYDROGEN if crystal == "h" else Crystal.load(crystal), xc=xc, basis=basis, **settings)
    assert ground.converged
    return ground


def density_moment(ground: GroundState) -> Tensor:
    n = ground.density.shape[-1]
    return (ground.density * torch.cos(2 * torch.pi * torch.arange(n) / n)).square().sum()


def lowest_levels(ground: GroundState) -> Tensor:
    return ground.eigenvalues[0, 0] + ground.eigenvalues[1, 1].square()


def filling(ground: GroundState) -> Tensor:
    return (ground.occupations.square() * torch.arange(ground.occupations.shape[1])).sum()


def kinetic_moment(ground: GroundState) -> Tensor:
    assert ground.kinetic_density is not None
    return ground.kinetic_density.square().sum()


def magnetisation(ground: GroundState) -> Tensor:
    assert abs(ground.magnetisation or 0.0) > 0.1  # a moment that is not there has no gradient to compare
    return (ground.density[0] - ground.density[1]).sum() * ground.basis.grid.volume / ground.basis.grid.size


CASES = [
    ("insulator", "two parameters", density_moment),
    ("insulator", "gradient network", band_gap),
    ("metal", "gradient network", filling),
    ("metal", "meta network", kinetic_moment),
    ("cold smearing", "two parameters", density_moment),
    ("magnet", "two parameters", magnetisation),
    ("fixed moment", "two parameters", lowest_levels),
    ("metal in Gaussians", "local network", filling),
]
# More models and losses for each of the settings.
FURTHER = [
    ("insulator", "gradient network", lowest_levels),
    ("insulator", "meta network", band_gap),
    ("metal", "local network", density_moment),
    ("metal", "two parameters", lowest_levels),
    ("magnet", "gradient network", density_moment),
    ("insulator in Gaussians", "two parameters", density_moment),
    ("insulator in Gaussians", "meta network", band_gap),
    ("metal in Gaussians", "gradient network", density_moment),
    ("metal in Gaussians", "meta network", kinetic_moment),
    ("magnet in Gaussians", "two parameters", magnetisation),
]
# One finite difference is quick enough for every change.
MARKED = [
    *(pytest.param(*case, marks=() if case[0] == "cold smearing" else pytest.mark.thorough) for case in CASES),
    *(pytest.param(*case, marks=pytest.mark.slow) for case in FURTHER),
]


@pytest.mark.parametrize(("setting", "model", "loss"), MARKED, ids=lambda value: getattr(value, "__name__", value))
def test_gradient_is_the_finite_difference(setting: str, model: str, loss: Callable[[GroundState], Tensor]) -> None:
    check_gradient(lambda xc: loss(ground_state(setting, xc)), MODELS[model])


@pytest.mark.thorough
@pytest.mark.parametrize("loss", [density_moment, lowest_levels])
def test_gradient_with_real_orbitals_is_the_finite_difference(
    monkeypatch: pytest.MonkeyPatch, loss: Callable[[GroundState], Tensor]
) -> None:
    monkeypatch.setattr(plane_wave_set, "REAL_PLANE_WAVES", 1)
    check_gradient(lambda xc: loss(ground_state("insulator", xc)), MODELS["two parameters"])


@pytest.mark.thorough
@pytest.mark.parametrize("model", ["two parameters", pytest.param("meta network", marks=pytest.mark.slow)])
def test_gradients_of_force_and_stress_are_finite_differences(model: str) -> None:
    def state(xc: nn.Module) -> GroundState:
        settings: dict[str, Any] = {"kmesh": (2, 2, 2), "smearing": FermiDirac(0.02), "pseudo": "gth"}
        return mlxc.scf(DISTORTED, xc=xc, basis=PlaneWaves(8.0, cutoff_smoothing=1.0), tolerance=1e-10, **settings)

    check_gradient(lambda xc: forces_and_stress(state(xc))[0][0, 0], MODELS[model])
    check_gradient(lambda xc: forces_and_stress(state(xc))[1].square().sum(), MODELS[model])


@pytest.mark.thorough
@pytest.mark.parametrize(
    "setting",
    [pytest.param("insulator", marks=pytest.mark.slow), "metal", pytest.param("fixed moment", marks=pytest.mark.slow)],
)
def test_the_unrolled_scf_has_the_same_gradients(setting: str) -> None:
    gradients = {}
    for way in ("implicit", "unrolled"):
        xc = MODELS["two parameters"]()
        ground = ground_state(setting, xc, differentiate=way)
        (density_moment(ground) + lowest_levels(ground) + filling(ground)).backward()
        gradients[way] = torch.stack([parameter.grad for parameter in xc.parameters()])
    assert torch.allclose(gradients["implicit"], gradients["unrolled"], rtol=1e-6)


@pytest.mark.thorough
def test_an_unrolled_scf_keeps_the_gradient_of_every_density_on_the_way() -> None:
    ground = ground_state("insulator", MODELS["two parameters"](), differentiate="unrolled", tolerance=1e-6)
    density_moment(ground).backward()
    sizes = [float(fields.grad.norm()) for fields in ground.unrolled_fields]
    assert len(sizes) > 5
    # The further back a density lies, the less it matters.
    assert sizes[0] < sizes[len(sizes) // 2] < sizes[-1]


class Kept:
    """A tensor that autograd holds; it dies with the graph."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def kept_for_the_way_back(differentiate: str, tolerance: float) -> tuple[int, int]:
    """Bytes that autograd holds after a run and a loss, and the steps of the SCF."""
    alive: weakref.WeakSet[Kept] = weakref.WeakSet()

    def keep(tensor: Tensor) -> Kept:
        alive.add(kept := Kept(tensor))
        return kept

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept.tensor):
        ground = ground_state("metal", MODELS["two parameters"](), differentiate=differentiate, tolerance=tolerance)
        loss = density_moment(ground)
    assert loss.requires_grad
    storages = {kept.tensor.untyped_storage().data_ptr(): kept.tensor.untyped_storage().nbytes() for kept in alive}
    return sum(storages.values()), len(ground.history)


@pytest.mark.thorough
def test_the_memory_of_an_implicit_gradient_does_not_depend_on_the_number_of_steps() -> None:
    (few, short), (many, long) = (kept_for_the_way_back("implicit", tolerance) for tolerance in (1e-3, 1e-10))
    assert long >= 2 * short
    assert many == few
    (few, _), (many, _) = (kept_for_the_way_back("unrolled", tolerance) for tolerance in (1e-3, 1e-8))
    assert many > 1.5 * few


@pytest.mark.parametrize(
    ("setting", "model", "ecut"),
    [
        ("insulator", "gradient network", 8.0),
        pytest.param("magnet", "meta network", 16.0, marks=pytest.mark.slow),
    ],
)
def test_the_susceptibility_is_its_own_adjoint(setting: str, model: str, ecut: float) -> None:
    ground = ground_state(setting, MODELS[model](), ecut=ecut)
    assert ground.adjoint is not None
    zeros = [torch.zeros_like(part.detach()) for part in (ground.orbitals, ground.eigenvalues, ground.occupations)]
    generator = torch.Generator().manual_seed(0)
    problem = ground.problem

    def direction() -> Tensor:
        noise = torch.randn(ground.fields.shape, generator=generator, dtype=torch.float64)
        return problem.symmetrizer.field(noise)

    left, right = direction(), direction()
    forward = (left * ground.adjoint.cotangent(Cotangents(right, *zeros))).sum()
    backward = (right * ground.adjoint.cotangent(Cotangents(left, *zeros))).sum()
    assert float(forward) == pytest.approx(float(backward), rel=1e-9)


class Scaled(nn.Module):
    """p times a functional."""

    def __init__(self, functional: nn.Module) -> None:
        super().__init__()
        self.functional = functional
        self.ingredients = functional.ingredients
        self.p = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, **ingredients: Tensor) -> Tensor:
        return self.p * self.functional(**ingredients)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("setting", "model"),
    [("insulator", "gradient network"), pytest.param("magnet", "meta network", marks=pytest.mark.slow)],
)
def test_the_sensitivity_integrates_to_the_derivative_by_a_factor_of_the_energy(setting: str, model: str) -> None:
    xc = Scaled(MODELS[model]())
    # With random weights nickel wanders before it converges, in 25 to 72 steps by what is rounded.
    ground = ground_state(setting, xc, max_iterations=100)
    loss = density_moment(ground) + 0.3 * ground.energy
    flow = gradient_flow(loss, ground)
    loss.backward()
    assert float(flow.xc_sensitivity.sum()) * flow.volume == pytest.approx(float(xc.p.grad), rel=1e-6)
    s = flow.variables["s"]
    edges = torch.linspace(0, float(s.max()) * 1.01, 6, dtype=torch.float64)
    assert float(flow.histogram({"s": edges}).sum()) == pytest.approx(float(xc.p.grad), rel=1e-6)
    assert flow.parameter_norms["p"] == pytest.approx(abs(float(xc.p.grad)))
    assert flow.adjoint[-1].residual < 1e-6
    assert "functional.exchange_network.0" in flow.layer_norms
    with pytest.raises(InputError, match="There is no 'nonsense'"):
        flow.histogram({"nonsense": edges})


LOSSES: dict[str, Callable[[GroundState], Tensor]] = {
    "gap": band_gap,
    "force": lambda ground: forces_and_stress(ground)[0][0, 0],
    "stress": lambda ground: forces_and_stress(ground)[1][0, 0],
    "density": density_moment,
}


@pytest.mark.thorough
@pytest.mark.parametrize("way", ["implicit", pytest.param("unrolled", marks=pytest.mark.slow)])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_whatever_way_a_loss_takes_its_sensitivity_adds_up(loss: Callable[[GroundState], Tensor], way: str) -> None:
    xc = Scaled(PBE())
    settings = {"basis": PlaneWaves(6.0), "kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-8}
    ground = mlxc.scf(DISTORTED, xc=xc, differentiate=way, **settings)
    value = loss(ground)
    flow = gradient_flow(value, ground)
    value.backward()
    assert float(flow.xc_sensitivity.sum()) * flow.volume == pytest.approx(float(xc.p.grad), rel=1e-6)


@pytest.mark.thorough
def test_the_flow_through_an_unrolled_scf_has_every_density() -> None:
    ground = ground_state("insulator", MODELS["two parameters"](), differentiate="unrolled", tolerance=1e-6)
    flow = gradient_flow(density_moment(ground), ground)
    assert len(flow.density_gradients) == len(ground.unrolled_fields)
    assert flow.adjoint == []
    with pytest.raises(InputError, match="gradient"):
        gradient_flow(torch.zeros(()), ground)


def test_no_functional_changes_how_many_electrons_there_are() -> None:
    xc = MODELS["gradient network"]()
    ground = ground_state("metal", xc)
    ground.density.sum().backward()
    assert all(float(parameter.grad.abs().max()) < 1e-12 for parameter in xc.parameters())


def test_a_state_that_has_not_converged_has_no_gradient() -> None:
    ground = mlxc.scf(
        Crystal.load("si"), xc="pbe-kappa-mu", basis=PlaneWaves(8.0), kmesh=(2, 2, 2), pseudo="gth", max_iterations=2
    )
    assert not ground.converged
    with pytest.raises(InputError, match="not converged"):
        (ground.energy + density_moment(ground)).backward()
    ground.energy.backward()
    with pytest.raises(InputError, match="neither"):
        mlxc.scf(Crystal.load("si"), basis=PlaneWaves(8.0), kmesh=(2, 2, 2), differentiate="nonsense")


def test_states_with_gradients_are_saved_and_start_others(tmp_path: Any) -> None:
    ground = ground_state("metal", MODELS["two parameters"]())
    ground.save(tmp_path / "ground.h5")
    assert not GroundState.load(tmp_path / "ground.h5").density.requires_grad
    assert len(ground_state("metal", MODELS["two parameters"](), start=ground).history) < len(ground.history)


def levels_from_scratch(ground: GroundState, nband: int) -> torch.Tensor:
    """So many of the lowest levels in the potential of a state, hartree, from nothing that the state knows of them."""
    problem = ground.problem
    guess = starting_orbitals(problem.basis, problem.ions, nband, seed=1).repeat(len(ground.density), 1, 1)
    hamiltonian = problem.hamiltonian(problem.effective_potential(problem.basis.grid.fourier(ground.fields.detach())))
    counts = torch.ones(len(guess), nband, dtype=torch.float64)
    return diagonalise(hamiltonian, guess, nband, counts, 1e-6, 100).eigenvalues


def test_a_gap_ends_at_the_lowest_empty_level_where_that_is_localised() -> None:
    """The empty levels of rutile are titanium's d levels, which have little in common with any plane wave."""
    rutile = Crystal(
        [[8.67, 0, 0], [0, 8.67, 0], [0, 0, 5.59]],
        ["Ti", "Ti", "O", "O", "O", "O"],
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.305, 0.305, 0], [-0.305, -0.305, 0], [0.805, 0.195, 0.5], [0.195, 0.805, 0.5]],
    )  # fmt: skip
    ground = mlxc.scf(rutile, xc="pbe-kappa-mu", basis=PlaneWaves(12.0), kmesh=(1, 1, 1), smearing=None)
    levels = levels_from_scratch(ground, 32)[0]
    # What the SCF has found above the filled levels makes the search shorter, and no other level is found without it.
    for state in (ground, replace(ground, orbitals_above=None)):
        assert float(band_gap(state).detach()) == pytest.approx(float(levels[24] - levels[23]), abs=1e-9)
    problem, filled = ground.problem, ground.orbitals.detach()
    guess = with_more_orbitals(filled, problem.basis, problem.ions, 25, seed=0)
    assert torch.allclose(inner_products(guess, guess), torch.eye(guess.shape[1], dtype=guess.dtype), atol=1e-10)
    (block,) = problem.hamiltonian(ground.effective_potential).blocks
    ritz_values = torch.linalg.eigvalsh(inner_products(guess, block.apply(guess)))[0]
    # The lowest plane wave orthogonal to the filled levels lies 0.7 hartree higher.
    assert levels[24] - 1e-6 < ritz_values[24] < levels[24] + 0.1


def test_spins_with_different_numbers_of_electrons_share_one_gap() -> None:
    ground = ground_state("insulator", MODELS["two parameters"](), spin=True, total_moment=2.0)
    up, down = levels_from_scratch(ground, 10).chunk(2)
    assert int((ground.occupations[0] > 0).sum()) == 5
    assert int((ground.occupations[-1] > 0).sum()) == 3
    highest, lowest = max(up[:, 4].max(), down[:, 2].max()), min(up[:, 5].min(), down[:, 3].min())
    assert float(band_gap(ground).detach()) == pytest.approx(float(lowest - highest), abs=1e-7)
