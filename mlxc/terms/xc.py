"""The exchange-correlation energy of a density on a grid, its potential and its kernel, for any functional."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import pi

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid
from mlxc.grid.irreducible_points import IrreduciblePoints
from mlxc.pseudo.core_density import NO_RINGING, Ringing
from mlxc.utils.parallel import map_in_threads
from mlxc.xc.analysis.domain import outside_fractions, training_domains
from mlxc.xc.functional import declared_ingredients

# The low-density switch: functionals see no density below this, electrons/bohr^3, and those well above it as they are.
DENSITY_FLOOR = 1e-12
# (5/3) s^2 at the reduced gradient s = 3, which valence electrons hardly reach.
LARGEST_SHARE = 15.0
# ln(1 + exp(x)) is x beyond this, in double precision.
LARGEST_EXPONENT = 40.0
# Grid points at which a functional is evaluated together.
POINTS = 8192


def floored(density: Tensor) -> Tensor:
    """A density that is positive everywhere, smooth in its argument: n for n >> DENSITY_FLOOR, the floor for n <= 0.

    Energy, potential and kernel pass through the same switch, so they stay derivatives of each other in a vacuum.
    """
    return DENSITY_FLOOR + (density + torch.sqrt(density.square() + 4 * DENSITY_FLOOR**2)) / 2


def above_noise(field: Tensor, noise: float) -> Tensor:
    """A field that rings about zero, kept above zero by a switch as wide as the ringing.

    The switch of :func:`floored` is so sharp that potentials would jump at each point that passes it, between one step
    of a self-consistent field and the next. This one is w ln(1 + exp(tau / w)), which is tau for tau >> w.

    Args:
        field: The field.
        noise: w, the size of the ringing in the field's unit; zero for none.
    """
    if noise == 0:
        return field
    return torch.nn.functional.softplus(field, beta=1 / noise, threshold=LARGEST_EXPONENT)


def xc_energy(
    functional: nn.Module,
    grid: Grid,
    fields: Fields,
    points: IrreduciblePoints | None = None,
    factor: Tensor | None = None,
    ringing: Ringing = NO_RINGING,
) -> Tensor:
    """E_xc per cell, hartree, differentiable in the density and in the functional's parameters.

    Args:
        functional: The functional, which returns the XC energy per volume from its declared ingredients.
        grid: The grid that the density lives on.
        fields: The fields on the grid; the gradient follows from the density if there is none among them.
        points: Where the functional is evaluated if the fields are symmetric; everywhere by default.
        factor: What the energy per volume is multiplied by at each point, shape ``(n1, n2, n3)``; one by default.
        ringing: See :func:`xc_ingredients`.
    """
    names = declared_ingredients(functional)
    energy_density: Tensor = functional(**xc_ingredients(names, grid, fields, points, ringing))
    if factor is not None:
        energy_density = energy_density * _chosen(factor, points)
    weighted = energy_density if points is None else energy_density * points.weights
    return weighted.sum() * (grid.volume / grid.size)


def xc_ingredients(
    names: Sequence[str], grid: Grid, fields: Fields, points: IrreduciblePoints | None, ringing: Ringing = NO_RINGING
) -> dict[str, Tensor]:
    """What functionals are evaluated from, at some points of the grid; arguments as for :func:`xc_energy`.

    Args:
        names: The ingredients.
        grid: The grid.
        fields: The fields on it.
        points: Where on it.
        ringing: Where what the grid makes of the ions' cores is noise, see
            :func:`~mlxc.pseudo.core_density.core_ringing`. Tau that is noise is smoothly kept from below zero. Where
            the density is noise, tau, of which functionals see what exceeds that of a single orbital in units of that
            of a gas of the same density, is replaced smoothly by the sum of both.
    """
    ingredients = {"rho": floored(_chosen(fields.density, points))}
    if "grad" in names:
        gradient = grid.gradient(fields.density) if fields.gradient is None else fields.gradient.movedim(0, 1)
        ingredients["grad"] = _chosen(gradient, points)
    if "tau" in names and fields.tau is not None:
        nspin = len(fields.density)
        ingredients["tau"] = floored(above_noise(_chosen(fields.tau, points), ringing.tau / nspin))
        if ringing.density > 0 and "grad" in ingredients:
            ingredients["tau"] = _without_ringing(**ingredients, ringing=ringing.density / nspin)
    return ingredients


def _without_ringing(rho: Tensor, grad: Tensor, tau: Tensor, ringing: float) -> Tensor:
    usual = grad.square().sum(1) / (8 * rho) + _thomas_fermi(rho)
    share = 1 / (1 + (ringing / rho) ** 4)
    return share * tau + (1 - share) * usual


def _thomas_fermi(density: Tensor) -> Tensor:
    """tau of a gas of this density of each spin, hartree/bohr^3."""
    degeneracy = len(density)  # a spin channel is half of an unpolarised gas of twice its density
    return 0.3 * (3 * pi**2) ** (2 / 3) * (degeneracy * density) ** (5 / 3) / degeneracy


def _chosen(field: Tensor, points: IrreduciblePoints | None) -> Tensor:
    values = field.flatten(-3)
    # Along the last of several axes torch selects by an index in brackets in several threads, index_select in one.
    return values if points is None else values[..., points.index]


def xc_potential(
    functional: nn.Module,
    grid: Grid,
    fields: Fields,
    points: IrreduciblePoints | None = None,
    ringing: Ringing = NO_RINGING,
) -> tuple[Tensor, Fields]:
    """E_xc and its derivatives with respect to the fields, v_xc = dE_xc/dn and so on, all detached.

    From irreducible points alone, the potentials are right only when they have been averaged over the group.

    The potentials are the exact derivatives of the discretised energy, so the SCF minimises what it reports. A
    functional knows nothing but the points that it is given, so it is evaluated for portions of them at the same time,
    which also bounds the memory of its derivative.
    """
    stacked = fields.stacked().detach().requires_grad_()
    with torch.enable_grad():
        names = declared_ingredients(functional)
        ingredients = xc_ingredients(names, grid, Fields.unstacked(stacked, fields.kinds), points, ringing)
        weights = stacked.new_ones(grid.size) if points is None else points.weights
        leaves = (weights, *ingredients.values())
        portions = zip(*(values.detach().split(POINTS, dim=-1) for values in leaves), strict=True)
        parts = map_in_threads(partial(_slopes, functional, tuple(ingredients)), portions)
        energy = torch.stack([energy for energy, _ in parts]).sum() * (grid.volume / grid.size)
        slopes = [torch.cat(pieces, dim=-1) for pieces in zip(*(slopes for _, slopes in parts), strict=True)]
        _check_finite(energy, slopes, ingredients["rho"])
        # As the slope of a number: told the slopes of several tensors, PyTorch loads sympy, 28 MiB and half a second.
        pulled = [(values * slope).sum() for values, slope in zip(ingredients.values(), slopes, strict=True)]
        (derivatives,) = torch.autograd.grad(torch.stack(pulled).sum(), stacked)
    return energy, Fields.unstacked(derivatives, fields.kinds)


def differentiable_xc_potential(
    functional: nn.Module,
    grid: Grid,
    fields: Fields,
    points: IrreduciblePoints | None = None,
    factor: Tensor | None = None,
    ringing: Ringing = NO_RINGING,
) -> Fields:
    """The potentials as :func:`xc_potential` gives them, attached to parameters and arguments."""
    with torch.enable_grad():
        stacked = fields.stacked()
        stacked = stacked if stacked.requires_grad else stacked.detach().requires_grad_()
        energy = xc_energy(functional, grid, Fields.unstacked(stacked, fields.kinds), points, factor, ringing)
        (slopes,) = torch.autograd.grad(energy, stacked, create_graph=True)
    return Fields.unstacked(slopes * (grid.size / grid.volume), fields.kinds)


def _check_finite(energy: Tensor, slopes: list[Tensor], rho: Tensor) -> None:
    finite = torch.stack([torch.isfinite(slope).flatten(0, -2).all(0) for slope in slopes]).all(0)
    if not bool(finite.all()):
        density = float(rho.detach().sum(0)[~finite][0])
        raise InputError(f"xc: the functional's potential is not a finite number at {density:.3g} electrons/bohr^3.")
    if not bool(torch.isfinite(energy)):
        raise InputError("xc: the functional's energy is not a finite number.")


def _slopes(functional: nn.Module, names: tuple[str, ...], portion: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor]]:
    """Weighted sum of the energy density over some points, and its derivative with respect to each ingredient."""
    weights, leaves = portion[0], [values.requires_grad_() for values in portion[1:]]
    energy = (functional(**dict(zip(names, leaves, strict=True))) * weights).sum()
    return energy.detach(), list(torch.autograd.grad(energy, leaves))


def outside_training_domain(
    functional: nn.Module, grid: Grid, fields: Fields, points: IrreduciblePoints | None, ringing: Ringing = NO_RINGING
) -> dict[str, float] | None:
    """How much of a crystal lies at (r_s, zeta, s, alpha) that a checkpoint has not seen in its training.

    Arguments as for :func:`xc_energy`.

    Returns:
        fractions of the ``electrons`` that the functional sees and of the ``volume``; None for functionals without a
        recorded domain. A sum of functionals is outside where any of them is.
    """
    domains = training_domains(functional)
    if not domains:
        return None
    with torch.no_grad():
        ingredients = xc_ingredients(declared_ingredients(functional), grid, fields, points, ringing)
        volumes = torch.ones_like(ingredients["rho"][0]) if points is None else points.weights
        return outside_fractions(domains, ingredients, volumes)


def kinetic_density_guess(grid: Grid, density: Tensor) -> Tensor:
    """tau of a slowly varying gas of this density, von Weizsaecker's plus Thomas and Fermi's, hartree/bohr^3.

    In a vacuum superposed densities are noise, whose gradient says nothing, so that of von Weizsaecker counts at most
    ``LARGEST_SHARE`` times Thomas and Fermi's.

    Args:
        grid: The grid that the density lives on.
        density: The density, shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
    """
    safe = floored(density)
    squares = grid.gradient(density).square().sum(1)
    thomas_fermi = _thomas_fermi(safe)
    return torch.minimum(squares / (8 * safe), LARGEST_SHARE * thomas_fermi) + thomas_fermi
