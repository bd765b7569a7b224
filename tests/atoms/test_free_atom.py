"""A free atom in spherical waves: what is known exactly, what plane waves give, derivatives, and its quadrature."""

from __future__ import annotations

from functools import cache
from math import sqrt

import numpy as np
import pytest
import torch
from scipy.integrate import quad

import mlxc
from mlxc import Crystal, PlaneWaves
from mlxc.atoms.axial_problem import AxialProblem, Solution
from mlxc.atoms.free_atom import ELLS, OF_SCF, OF_SPHERICAL, free_atom, points_for_functionals
from mlxc.atoms.multipoles import Multipoles
from mlxc.atoms.shells import RADIUS, candidate_fillings
from mlxc.atoms.spherical_waves import Points, SphericalWaves
from mlxc.pseudo.library import find_pseudopotential
from mlxc.pseudo.make import make_pseudopotential
from mlxc.pseudo.protocol import Pseudopotential
from mlxc.xc.functional import INGREDIENTS, declared_ingredients

ECUT = 12.0


@cache
def pseudopotential(symbol: str, family: str = "pseudodojo-pbe") -> Pseudopotential:
    return make_pseudopotential(find_pseudopotential(symbol, family, "pbe"))


def problem(symbol: str, xc: str = "pbe", ecut: float = ECUT) -> AxialProblem:
    waves = SphericalWaves(RADIUS, ecut, 0.5, ELLS)
    points = Points.gauss(RADIUS, *OF_SCF)
    return AxialProblem(pseudopotential(symbol), mlxc.functional(xc), waves, points, 2 * sqrt(2 * ecut))


def test_hydrogen_has_half_a_hartree() -> None:
    # With PBE 0.49999 Ha, with the local spin density 0.4787 (PW92): J. P. Perdew, K. Burke, M. Ernzerhof,
    # Phys. Rev. Lett. 77, 3865 (1996). The nucleus is a soft one here.
    atom = free_atom(pseudopotential("H", "gth-pbe"), mlxc.functional("pbe"), 80.0)
    assert atom.energy_ha == pytest.approx(-0.49999, abs=1e-3)
    assert atom.moment_bohr_magneton == 1
    assert float((atom.ingredients["rho"].sum(0) * atom.volumes).sum()) == pytest.approx(1, abs=1e-6)
    # A single orbital has the kinetic energy of von Weizsaecker.
    rho, tau = atom.ingredients["rho"][0], atom.ingredients["tau"][0]
    weizsaecker = atom.ingredients["grad"][0].square().sum(0) / (8 * rho)
    assert torch.allclose((tau - weizsaecker)[rho > 1e-5], torch.zeros(1).double(), atol=1e-8)


def test_energy_and_fields_are_those_in_plane_waves() -> None:
    # Hydrogen in a cube, whose images are far: the same cutoff makes the same error of 25 mHa,
    # up to what the discrete waves of either have near it.
    ecut, edge = 6.0, 16.0
    hydrogen = Crystal(edge * np.eye(3), ["H"], [[0.5, 0.5, 0.5]], [1.0])
    box = mlxc.scf(
        hydrogen, xc="pbe", basis=PlaneWaves(ecut, cutoff_smoothing=0.5), kmesh=(1, 1, 1), smearing=None, spin=True,
        total_moment=1, pseudo="gth-pbe",
    )  # fmt: skip
    atom = free_atom(pseudopotential("H", "gth-pbe"), mlxc.functional("pbe"), ecut, 0.5)
    assert atom.energy_ha == pytest.approx(sum(box.energies.values()), abs=5e-4)
    assert atom.energies["kinetic"] == pytest.approx(box.energies["kinetic"], abs=1e-3)
    assert atom.energies["xc"] == pytest.approx(box.energies["xc"], abs=5e-4)


@pytest.mark.parametrize("xc", ["pbe", "r2scan"])
def test_the_hamiltonian_is_the_derivative_of_the_energy(xc: str) -> None:
    oxygen, step = problem("O", xc), 1e-4
    filling = candidate_fillings("O", 6)[0]
    solution = oxygen.solve(candidate_fillings("O", 6)[0])
    assert solution is not None
    orbitals = {channel: np.concatenate(parts) for channel, parts in solution.orbitals.items()}
    random = np.random.default_rng(1)
    change = {c: random.normal(size=o.shape) * np.exp(-np.arange(len(o)) / 20)[:, None] for c, o in orbitals.items()}

    def moved(by: float) -> dict:
        return {c: oxygen.by_ell(c, orbitals[c] + by * change[c]) for c in filling}

    start = 0.05
    matrices, _ = oxygen.hamiltonian(moved(start))
    slope = sum(
        2 * c.electrons * float(np.sum(change[c] * (matrices[c] @ (orbitals[c] + start * change[c])))) for c in filling
    )
    above, below = (sum(oxygen.hamiltonian(moved(start + by))[1].values()) for by in (step, -step))
    assert slope == pytest.approx((above - below) / (2 * step), rel=1e-5)


def test_multipoles_have_the_potential_of_integrals() -> None:
    points = Points.gauss(RADIUS, 120, 12)
    r, x = points.radius[:, None], points.cosine
    density = r**2 * np.exp(-(r**2)) * (1.5 * x**2 - 0.5)
    found = Multipoles(points, RADIUS, 12.0, 4).potential(density)
    for index in (20, 45, 70):
        s = points.radius[index]
        inside = quad(lambda t: t**6 * np.exp(-(t**2)), 0, s)[0]
        beyond = quad(lambda t: t * np.exp(-(t**2)), s, np.inf)[0]
        expected = 4 * np.pi / 5 * (inside / s**3 + s**2 * beyond) * (1.5 * x**2 - 0.5)
        assert found[index] == pytest.approx(expected, abs=1e-7)


QUADRATURE_HA = {"lda": 1e-7, "pbe": 1e-7, "r2scan": 1e-7, "lak": 1e-6, "solids-mgga": 1e-6, "scan": 1e-6}


def energies_at(atom: AxialProblem, solution: Solution, grids: list[Points]) -> dict[str, float]:
    energies = dict.fromkeys(QUADRATURE_HA, 0.0)
    for points in grids:
        fields, volumes = atom.fields_on(points), torch.from_numpy(points.volumes.ravel())
        seen = fields.ingredients(fields.raw(solution.orbitals), INGREDIENTS)
        for xc in energies:
            functional = mlxc.functional(xc)
            with torch.no_grad():
                density = functional(**{name: seen[name] for name in declared_ingredients(functional)})
            energies[xc] += float((density * volumes).sum())
    return energies


@pytest.mark.parametrize(
    ("symbol", "ecut"),
    [
        ("N", 41.0),
        *(pytest.param(*case, marks=pytest.mark.thorough) for case in (("C", 41.0), ("Ni", 49.0), ("K", 37.0))),
    ],
)
def test_stored_points_integrate_as_many_more_do(symbol: str, ecut: float) -> None:
    # SCAN is not analytic where alpha is 1, and asks for most of the points.
    atom, is_spherical = problem(symbol, ecut=ecut), symbol in {"N", "K"}
    solution = atom.solve(candidate_fillings(symbol, pseudopotential(symbol).charge)[0])
    assert solution is not None
    many = Points.gauss(RADIUS, *((1920, 1) if is_spherical else (560, 44)))
    found = energies_at(atom, solution, points_for_functionals(is_spherical))
    for xc, exact in energies_at(atom, solution, [many]).items():
        assert found[xc] == pytest.approx(exact, abs=QUADRATURE_HA[xc]), xc


def test_a_core_that_touches_zero_has_a_smooth_tau() -> None:
    # That of arsenic does so at 1.8 bohr, where its tau is not zero.
    atom = problem("As")
    points = Points.gauss(RADIUS, 4000, 1)
    density, tau = atom.fields_on(points).raw({})[[0, 3]].sum(1)
    near = torch.from_numpy(np.abs(points.radius - 1.815) < 0.1)
    assert float(density[near].min()) < 1e-9
    # It falls with the distance, without a dip or a peak.
    assert float(tau[near].min()) > 1e-4
    assert bool((tau[near].diff() < 0).all())


def test_a_spherical_atom_needs_a_single_direction() -> None:
    nitrogen, boron = (free_atom(pseudopotential(symbol), mlxc.functional("pbe"), 30.0) for symbol in ("N", "B"))
    assert len(nitrogen.volumes) == OF_SPHERICAL
    assert len(boron.volumes) == sum(points.volumes.size for points in points_for_functionals(is_spherical=False))
    # What is stored has the energy of the SCF.
    for atom in (nitrogen, boron):
        seen = {name: atom.ingredients[name] for name in ("rho", "grad")}
        energy = float((mlxc.functional("pbe")(**seen) * atom.volumes).sum())
        assert energy == pytest.approx(atom.energies["xc"], abs=1e-6)
