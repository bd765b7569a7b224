"""The nonlocal pseudopotentials are the same operator, with the same derivatives, however projectors are kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import mlxc
from mlxc.basis.planewave import projectors
from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.basis.planewave.memory import projector_bytes
from mlxc.basis.planewave.projectors import FactorisedProjectors, HeldProjectors, NonlocalOperator
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.pseudo.make import make_pseudopotential

# In the tables of GTH hydrogen has no projectors.
CASES = {"MgO": ("pseudodojo", ("Mg", "O", "O")), "OH": ("gth-pbe", ("O", "H", "H")), "H": ("gth-pbe", ("H", "H"))}


@pytest.fixture(params=CASES)
def setting(request: pytest.FixtureRequest) -> tuple[PlaneWaveBasis, Ions]:
    """A skewed cell without symmetry, at two k points."""
    family, species = CASES[request.param]
    generator = np.random.default_rng(2)
    lattice = 5 * np.eye(3) + generator.normal(size=(3, 3)) / 3
    crystal = mlxc.Crystal(lattice, species, generator.uniform(size=(len(species), 3)))
    group = SpaceGroup.of(crystal)
    basis = mlxc.PlaneWaves(ecut=6).discretise(crystal, irreducible_mesh((3, 1, 1), group), group)
    entries = find_pseudopotentials(species, family, "pbe", {})
    return basis, Ions.of(crystal, {symbol: make_pseudopotential(entry) for symbol, entry in entries.items()})


@pytest.fixture
def factorised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell is a large one, and few products have room."""
    monkeypatch.setattr(projectors, "MANY_PROJECTORS", -1)
    monkeypatch.setattr(projectors, "WORKSPACE_BYTES", 1.0)


def random_orbitals(basis: PlaneWaveBasis, nband: int = 4) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    shape = (basis.nkpoints, nband, basis.nplanewaves)
    return torch.randn(shape, dtype=torch.complex128, generator=generator) * basis.mask[:, None]


def one_ion_after_the_other(basis: PlaneWaveBasis, ions: Ions, orbitals: Tensor) -> Tensor:
    """V psi by its definition."""
    result = torch.zeros_like(orbitals)
    for symbol, position in zip(ions.species, ions.positions, strict=True):
        own = FactorisedProjectors.of(basis, ions.pseudopotentials[symbol], torch.zeros(1, 3, dtype=torch.float64))
        phases = torch.exp(-1j * (basis.kplusg @ (position @ basis.grid.lattice)))
        for p, bra in enumerate(own.forms.unbind(1)):
            for q, ket in enumerate(own.forms.unbind(1)):
                overlaps = ((ket * phases).conj()[:, None] * orbitals).sum(-1)
                result += own.coupling[p, q] * overlaps[..., None] * (bra * phases)[:, None]
    return result


def test_the_operator_is_the_sum_over_ions(
    setting: tuple[PlaneWaveBasis, Ions], request: pytest.FixtureRequest
) -> None:
    basis, ions = setting
    orbitals = random_orbitals(basis)
    expected = one_ion_after_the_other(basis, ions, orbitals)
    electrons = torch.rand(orbitals.shape[:2], dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    energy = ((orbitals.conj() * expected).sum(-1).real * electrons).sum()
    for kind in (HeldProjectors, FactorisedProjectors):
        if kind is FactorisedProjectors:
            request.getfixturevalue("factorised")
        operator = NonlocalOperator(basis, ions)
        assert {type(part) for part in operator._parts} == {kind}
        everywhere = slice(0, basis.nkpoints)
        assert torch.allclose(operator.on_kpoints(everywhere)(orbitals), expected, rtol=0, atol=1e-12)
        single = operator.on_kpoints(slice(1, 2), torch.complex64)(orbitals[1:2].to(torch.complex64))
        assert torch.allclose(single, expected[1:2].to(torch.complex64), rtol=0, atol=2e-5)
        assert float(operator.expectation(orbitals, electrons)) == pytest.approx(float(energy), abs=1e-11)


def test_derivatives_of_the_energy_are_those_of_projectors_that_are_held(
    setting: tuple[PlaneWaveBasis, Ions], request: pytest.FixtureRequest
) -> None:
    basis, ions = setting
    electrons = torch.ones(basis.nkpoints, 4, dtype=torch.float64)
    found: list[list[Tensor]] = []
    for kept in ("held", "factorised"):
        if kept == "factorised":
            request.getfixturevalue("factorised")
        positions, orbitals = ions.positions.clone().requires_grad_(), random_orbitals(basis).requires_grad_()
        strain = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
        moved = Ions(ions.species, positions, ions.pseudopotentials)
        energy = NonlocalOperator(basis.strained(strain), moved).expectation(orbitals, electrons)
        variables = (positions, strain, orbitals)
        first = torch.autograd.grad(energy, variables, create_graph=True, materialize_grads=True)
        # What a loss of the forces sees of the orbitals.
        second = torch.autograd.grad(first[0].square().sum(), (positions, orbitals), materialize_grads=True)
        found.append([*first, *second])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)


def test_many_projectors_take_the_memory_of_their_factors_and_of_what_is_held_in_single_precision() -> None:
    crystal = mlxc.Crystal.load("mgo").supercell(3, 3, 2)
    group = SpaceGroup.of(crystal)
    basis = mlxc.PlaneWaves(ecut=4).discretise(crystal, irreducible_mesh((1, 1, 1), group), group)
    entries = find_pseudopotentials(crystal.species, "pseudodojo", "pbe", {})
    ions = Ions.of(crystal, {symbol: make_pseudopotential(entry) for symbol, entry in entries.items()})
    operator = NonlocalOperator(basis, ions)
    factors = [part for part in operator._parts if isinstance(part, FactorisedProjectors)]
    rounded = [part.on_kpoints(slice(0, 1), torch.complex64) for part in factors]
    held = [part for part in rounded if isinstance(part, HeldProjectors)]
    assert len(held) == len(factors) == 2
    taken = sum(part.forms.nbytes + part.phases.nbytes for part in factors) + sum(part.values.nbytes for part in held)
    counts = {symbol: entry.projector_count for symbol, entry in entries.items()}
    assert taken == projector_bytes(1, basis.nplanewaves, crystal.species, counts, as_real=False)
    assert taken < HeldProjectors.of(factors).values.nbytes
