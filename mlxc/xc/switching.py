"""The switch f(alpha) of SCAN and of r2SCAN between a single orbital (alpha = 0) and the uniform gas (alpha = 1).

SCAN: J. Sun, A. Ruzsinszky, J. P. Perdew, Phys. Rev. Lett. 115, 036402 (2015).
Regularised: A. P. Bartok, J. R. Yates, J. Chem. Phys. 150, 161101 (2019), whose polynomials r2SCAN keeps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Nearer to alpha = 1 than this, exp(-c / |1 - alpha|) is zero in double precision, with all its derivatives.
SMALL_DISTANCE = 1e-3
# Up to this alpha a polynomial replaces the essential singularity at alpha = 1.
POLYNOMIAL_END = 2.5


@dataclass(frozen=True)
class Switch:
    """f(alpha), which is 1 for a single orbital, about 0 for a slowly varying density, and negative beyond.

    Attributes:
        c1: decay below alpha = 1.
        c2: decay above it.
        d: depth: f tends to -d for large alpha.
        polynomial: coefficients of alpha^0, alpha^1, ... of the regularised form, for alpha from 0 to POLYNOMIAL_END.
    """

    c1: float
    c2: float
    d: float
    polynomial: tuple[float, ...]

    def singular(self, alpha: Tensor) -> Tensor:
        """exp(-c1 alpha / (1 - alpha)) below alpha = 1, -d exp(c2 / (1 - alpha)) above: SCAN's form."""
        return self._below(alpha, 1 - alpha > SMALL_DISTANCE) + self._above(alpha, alpha - 1 > SMALL_DISTANCE)

    def regularised(self, alpha: Tensor) -> Tensor:
        """SCAN's form outside, and a polynomial inside 0 <= alpha <= POLYNOMIAL_END: that of rSCAN and r2SCAN."""
        below, above = alpha < 0, alpha > POLYNOMIAL_END
        inside = ~(below | above)
        safe = alpha.where(inside, 0.0)
        powers = torch.zeros_like(alpha)
        for coefficient in reversed(self.polynomial):
            powers = powers * safe + coefficient
        return self._below(alpha, below) + self._above(alpha, above) + powers.where(inside, 0.0)

    def slope_at_one(self) -> float:
        """df/dalpha of the polynomial at alpha = 1, where SCAN's form has none."""
        return sum(power * coefficient for power, coefficient in enumerate(self.polynomial))

    # Both branches are computed everywhere: where one is not wanted it sees a harmless alpha, so that no derivative
    # becomes 0 * infinity.

    def _below(self, alpha: Tensor, where: Tensor) -> Tensor:
        safe = alpha.where(where, 0.0)
        return torch.exp(-self.c1 * safe / (1 - safe)).where(where, 0.0)

    def _above(self, alpha: Tensor, where: Tensor) -> Tensor:
        safe = alpha.where(where, 3.0)
        return -self.d * torch.exp(self.c2 / (1 - safe)).where(where, 0.0)


EXCHANGE_SWITCH = Switch(
    0.667, 0.8, 1.24,
    (1, -0.667, -0.4445555, -0.663086601049, 1.451297044490, -0.887998041597, 0.234528941479, -0.023185843322),
)  # fmt: skip
CORRELATION_SWITCH = Switch(
    0.64, 1.5, 0.7,
    (1, -0.64, -0.4352, -1.535685604549, 3.061560252175, -1.915710236206, 0.516884468372, -0.051848879792),
)  # fmt: skip
