"""Which exact conditions of density-functional theory a functional satisfies, found by asking it.

Most conditions are stated for the energy of whole densities; what is tested is the sufficient condition that the
integrand satisfies them at every point, on a grid of (r_s, zeta, s, alpha): R. Pederson, K. Burke, J. Chem. Phys. 159,
214113 (2023). Exchange is taken to be what is left of F_xc in the limit of high density, where correlation vanishes
beside it: M. Levy, J. P. Perdew, Phys. Rev. A 32, 2010 (1985).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlxc.xc.analysis.probe import density_of, enhancement_at, ingredients_at
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.lda import LDA

RS = torch.tensor([0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 20.0], dtype=torch.float64)
S = torch.linspace(0, 5, 26, dtype=torch.float64)
ALPHA = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0], dtype=torch.float64)
ZETA = torch.tensor([0.0, 0.3, 0.6, 0.9], dtype=torch.float64)
# At this radius correlation is a millionth of exchange.
HIGH_DENSITY = 1e-5
# No density has a larger XC energy, in units of local exchange: E. H. Lieb, S. Oxford, Int. J. Quantum Chem. 19, 427
# (1981). Spin scaling makes it a bound of unpolarised exchange, 2^(-1/3) of it: the 1.804 of PBE.
LIEB_OXFORD = 2.273
LIEB_OXFORD_EXCHANGE = 1.804
# Of F_xc along s. It is 0.5 for PBE and SCAN and 1.3 for r2SCAN; a ripple of 2 % with a period of 0.2 in s has 18.
LARGEST_CURVATURE = 2.0


@dataclass(frozen=True)
class ConstraintResult:
    """What came of one condition.

    Attributes:
        name: The name of the condition.
        satisfied: Whether the functional satisfies it; None where it cannot be told for this functional.
        deviation: The largest violation, in units of F_xc unless the detail says otherwise; 0 if satisfied.
        detail: One sentence: what was asked, and where the answer was worst.
        source: The source of the condition.
    """

    name: str
    satisfied: bool | None
    deviation: float | None
    detail: str
    source: str


@dataclass(frozen=True)
class Excess:
    """How far a quantity is on the wrong side at each of some points.

    Attributes:
        amount: The amount, positive where the condition is violated, shape ``(npoint,)``.
        at: The points' reduced variables by name.
    """

    amount: Tensor
    at: dict[str, Tensor]


@dataclass(frozen=True)
class _Condition:
    name: str
    statement: str
    source: str
    tolerance: float
    test: Callable[[nn.Module], Excess | None]


def check_constraints(functional: nn.Module) -> list[ConstraintResult]:
    """Ask a functional about every condition; one that gives no numbers violates what it was asked."""
    return [_check(condition, functional) for condition in _CONDITIONS]


def constraints_report(results: list[ConstraintResult]) -> str:
    """The results as a table for a person."""
    words = {True: "holds", False: "violated", None: "cannot be told"}
    return "\n".join(f"  {r.name:36}{words[r.satisfied]:16}{r.detail}" for r in results)


def _check(condition: _Condition, functional: nn.Module) -> ConstraintResult:
    def result(satisfied: bool | None, deviation: float | None, remark: str) -> ConstraintResult:
        detail = f"{condition.statement}{remark}."
        return ConstraintResult(condition.name, satisfied, deviation, detail, condition.source)

    excess = condition.test(functional)
    if excess is None:
        return result(None, None, "; this functional does not depend on what is asked")
    if not bool(torch.isfinite(excess.amount).all()):
        bad = int((~torch.isfinite(excess.amount)).nonzero()[0, 0])
        return result(False, None, f"; no finite number at {_place(excess, bad)}")
    worst = int(excess.amount.argmax())
    amount = float(excess.amount[worst])
    if amount <= condition.tolerance:
        return result(True, 0.0, "")
    return result(False, amount, f"; off by {amount:.2g} at {_place(excess, worst)}")


def _place(excess: Excess, index: int) -> str:
    return ", ".join(f"{name} = {float(values[index]):.3g}" for name, values in excess.at.items())


def _points(functional: nn.Module, **axes: Tensor) -> dict[str, Tensor]:
    """All combinations of reduced variables, in which s and alpha vary only if the functional sees them."""
    seen = declared_ingredients(functional)
    full = {"rs": RS, "s": S if "grad" in seen else S[:1], "alpha": ALPHA if "tau" in seen else ALPHA[4:5]} | axes
    grids = torch.meshgrid(*full.values(), indexing="ij")
    return {name: grid.flatten() for name, grid in zip(full, grids, strict=True)}


@torch.no_grad()
def _enhancement(functional: nn.Module, at: dict[str, Tensor], rs: Tensor | None = None) -> Tensor:
    return enhancement_at(functional, at["rs"] if rs is None else rs, at.get("zeta"), at["s"], at["alpha"])


def _exchange(functional: nn.Module, at: dict[str, Tensor]) -> Tensor:
    return _enhancement(functional, at, torch.full_like(at["rs"], HIGH_DENSITY))


def _uniform_gas(functional: nn.Module) -> Excess:
    at = _points(functional, zeta=ZETA, s=S[:1], alpha=ALPHA[4:5])
    exact = _enhancement(LDA(), at)
    return Excess((_enhancement(functional, at) / exact - 1).abs(), at)


def _spin_symmetry(functional: nn.Module) -> Excess:
    at = _points(functional, zeta=ZETA)
    swapped = at | {"zeta": -at["zeta"]}
    return Excess((_enhancement(functional, at) - _enhancement(functional, swapped)).abs(), at)


def _spin_scaling(functional: nn.Module) -> Excess:
    """E_x[up, down] = (E_x[2 up] + E_x[2 down]) / 2.

    At constant zeta, s of a doubled spin density is s (1 +- zeta)^(-1/3), and its alpha is that of the whole.
    """
    at = _points(functional, zeta=ZETA, rs=RS[:1])
    expected = torch.zeros_like(at["s"])
    for sign in (1, -1):
        share = 1 + sign * at["zeta"]
        single = {"rs": at["rs"], "s": at["s"] * share ** (-1 / 3), "alpha": at["alpha"]}
        expected += share ** (4 / 3) * _exchange(functional, single) / 2
    return Excess((_exchange(functional, at) - expected).abs(), at)


def _negativity(functional: nn.Module) -> Excess:
    at = _points(functional, zeta=ZETA)
    return Excess(-_enhancement(functional, at), at)


def _far_gradients(functional: nn.Module) -> dict[str, Tensor]:
    """Values of s that reach into a vacuum, for functionals that see it."""
    return {"s": torch.cat([S, S[1:] * 10])} if "grad" in declared_ingredients(functional) else {}


def _lieb_oxford(functional: nn.Module) -> Excess:
    at = _points(functional, zeta=ZETA, **_far_gradients(functional))
    return Excess(_enhancement(functional, at) - LIEB_OXFORD, at)


def _exchange_bound(functional: nn.Module) -> Excess:
    at = _points(functional, rs=RS[:1], **_far_gradients(functional))
    return Excess(_exchange(functional, at) - LIEB_OXFORD_EXCHANGE, at)


def _correlation_sign(functional: nn.Module) -> Excess:
    at = _points(functional, zeta=ZETA)
    return Excess(_exchange(functional, at) - _enhancement(functional, at), at)


def _correlation_scaling(functional: nn.Module) -> Excess:
    """E_c[n_gamma] > gamma E_c[n] for gamma > 1 if F_c does not fall when r_s grows."""
    at = _points(functional, zeta=ZETA)
    rise = _enhancement(functional, at, at["rs"] * 1.01) - _enhancement(functional, at)
    return Excess(-rise, at)


def _rapid_variation(functional: nn.Module) -> Excess | None:
    """F_x falls as s^(-1/2): its logarithmic slope between s = 1000 and s = 4000."""
    if "grad" not in declared_ingredients(functional):
        return None
    at = _points(functional, rs=RS[:1], s=torch.tensor([1e3], dtype=torch.float64))
    near, far = _exchange(functional, at), _exchange(functional, at | {"s": at["s"] * 4})
    return Excess((torch.log(far / near) / torch.log(torch.tensor(4.0)) + 0.5).abs(), at)


def _smoothness(functional: nn.Module) -> Excess | None:
    if "grad" not in declared_ingredients(functional):
        return None
    fine = torch.linspace(0.05, 5, 100, dtype=torch.float64)
    at = _points(functional, s=fine)
    step = 0.02
    lower, middle, upper = (_enhancement(functional, at | {"s": at["s"] + shift}) for shift in (-step, 0.0, step))
    return Excess((upper - 2 * middle + lower).abs() / step**2 - LARGEST_CURVATURE, at)


def _low_density(functional: nn.Module) -> Excess:
    """Energy per electron and potential where there are hardly any electrons."""
    density = 10.0 ** torch.arange(-30, -5, 4, dtype=torch.float64)
    at = _points(functional, rs=(3 / (4 * torch.pi * density)) ** (1 / 3))
    given = ingredients_at(at["rs"], None, at["s"], at["alpha"])
    wanted = {name: given[name].requires_grad_() for name in declared_ingredients(functional)}
    energy = functional(**wanted)
    (potential,) = torch.autograd.grad(energy.sum(), wanted["rho"])
    per_electron = energy.detach().abs() / density_of(at["rs"])
    return Excess(torch.maximum(per_electron, potential[0].abs()) - 0.1, at)


def _second_derivatives(functional: nn.Module) -> Excess:
    at = _points(functional, zeta=ZETA)
    given = ingredients_at(at["rs"], at["zeta"], at["s"], at["alpha"])
    wanted = [given[name].requires_grad_() for name in declared_ingredients(functional)]
    energy = functional(**dict(zip(declared_ingredients(functional), wanted, strict=True)))
    first = torch.autograd.grad(energy.sum(), wanted, create_graph=True)
    total = torch.stack([derivative.sum() for derivative in first]).sum()
    # An energy that is linear in its ingredients has no second derivatives.
    second = torch.autograd.grad(total, wanted, allow_unused=True) if total.requires_grad else ()
    found = [value for value in (*first, *second) if value is not None]
    finite = torch.stack([torch.isfinite(value).flatten(0, -2).all(0) for value in found]).all(0)
    return Excess(torch.where(finite, 0.0, torch.nan), at)


_CONDITIONS = (
    _Condition(
        "uniform gas", "At s = 0 and alpha = 1 the energy is that of the uniform gas", "Perdew and Wang 1992",
        2e-3, _uniform_gas,
    ),
    _Condition("spin symmetry", "Up and down may change places", "symmetry", 1e-8, _spin_symmetry),
    _Condition(
        "spin scaling of exchange", "Exchange of both spins is that of each of them", "Oliver and Perdew 1979",
        1e-3, _spin_scaling,
    ),
    _Condition("negative energy", "F_xc is positive, the energy negative", "Perdew and Kurth 2003", 0.0, _negativity),
    _Condition(
        "Lieb-Oxford bound", f"F_xc stays below {LIEB_OXFORD} at every point", "Lieb and Oxford 1981",
        1e-3, _lieb_oxford,
    ),
    _Condition(
        "Lieb-Oxford bound of exchange", f"F_x stays below {LIEB_OXFORD_EXCHANGE} at every point",
        "Perdew, Burke, Ernzerhof 1996", 1e-3, _exchange_bound,
    ),
    _Condition("negative correlation", "Correlation lowers the energy", "Levy 1991", 1e-5, _correlation_sign),
    _Condition(
        "uniform scaling of correlation", "F_c does not fall when the density does", "Levy and Perdew 1985", 1e-6,
        _correlation_scaling,
    ),
    _Condition(
        "non-uniform scaling", "F_x falls as s^(-1/2) for large s", "Levy 1991; Pollack and Perdew 2000", 0.05,
        _rapid_variation,
    ),
    _Condition(
        "smoothness", f"The curvature of F_xc along s is below {LARGEST_CURVATURE:g}", "good practice", 0.0, _smoothness
    ),
    _Condition(
        "vanishing density", "Energy per electron and potential stay below 0.1 Ha where n < 1e-6 per bohr^3",
        "good practice", 0.0, _low_density,
    ),
    _Condition(
        "finite second derivatives", "The second derivatives are finite numbers", "needed for response", 0.0,
        _second_derivatives,
    ),
)  # fmt: skip
