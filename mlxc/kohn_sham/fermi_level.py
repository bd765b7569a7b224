"""The Fermi level: where the bands hold the right number of electrons."""

from __future__ import annotations

from collections.abc import Callable

from scipy.optimize import brentq
from torch import Tensor

from mlxc.terms.entropy import Gaussian, MarzariVanderbilt, Smearing

# Electrons per cell by which the number of them may be wrong, and fewer than which are none.
EXACT, NONE = 1e-12, 1e-9
# So many widths below the lowest state, no electrons are left by any smearing.
BELOW_ALL_STATES = 40.0


def fermi_level(eigenvalues: Tensor, weights: Tensor, nelectrons: float, smearing: Smearing) -> float:
    """The level, hartree, at which the bands hold the electrons: in an insulator the middle of the gap.

    Cold smearing fills states beyond one, so several levels can give the right number of electrons; the one nearest to
    that of Gaussian smearing is taken, as proposed by F. J. dos Santos, N. Marzari, Phys. Rev. B 107, 195122 (2023).

    Args:
        eigenvalues: The eigenvalues, shape ``(nk * nspin, nband)``, hartree.
        weights: The weights of the k points, repeated for each spin, shape ``(nk * nspin,)``, summing to ``nspin``.
        nelectrons: The number of electrons per cell; without any, the level lies far below all states.
        smearing: The smearing.
    """
    capacity = 2 / float(weights.sum())
    low = float(eigenvalues.min()) - BELOW_ALL_STATES * smearing.width
    high = float(eigenvalues.max()) + BELOW_ALL_STATES * smearing.width
    if nelectrons <= NONE:
        return low

    def surplus(level: float, smearing: Smearing) -> float:
        occupation = smearing.occupation((level - eigenvalues) / smearing.width)
        return float(capacity * (weights[:, None] * occupation).sum()) - nelectrons

    monotonic = Gaussian(smearing.width) if isinstance(smearing, MarzariVanderbilt) else smearing
    lower = _crossing(lambda x: surplus(x, monotonic), -EXACT, low, high)
    if surplus(high, monotonic) < EXACT:
        return lower  # all states of a small basis are full
    level = (lower + _crossing(lambda x: surplus(x, monotonic), EXACT, low, high)) / 2
    error = surplus(level, smearing)
    if abs(error) <= 10 * EXACT:
        return level
    step = smearing.width / 20
    for count in range(400):
        for direction in (-step, step):
            near, far = level + count * direction, level + (count + 1) * direction
            if surplus(far, smearing) * error < 0:
                return _crossing(lambda x: surplus(x, smearing), 0.0, min(near, far), max(near, far))
    return level


def _crossing(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where a function rises or falls through a target."""
    return float(brentq(lambda x: function(x) - target, low, high, xtol=1e-15, rtol=1e-15, disp=False))
