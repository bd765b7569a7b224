"""Three ways to choose how fine a calculation is, relative to what is recommended for the crystal. Imports no torch.

==========  ==============  =======================  =========
preset      cutoff          distance of k points     tolerance
==========  ==============  =======================  =========
quick look  0.75 x          1.6 x                    1e-4
balanced    recommended     of the crystal's mesh    1e-6
converged   1.25 x          0.6 x                    1e-8
==========  ==============  =======================  =========

The recommended cutoff is that of the pseudopotentials (:mod:`mlxc.pseudo.cutoffs`), the mesh the one shipped with a
structure, or what general rules give (:mod:`mlxc.structures.default_settings`). With Gaussians the accuracy is in the
basis set, which no preset changes, and the cutoff is that of the grid that the set needs. The smearing stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from mlxc.calculation.settings import CalculationSettings
from mlxc.crystal.crystal import Crystal
from mlxc.structures.default_settings import flat_along_vacuum


@dataclass(frozen=True)
class Preset:
    """Factors on what is recommended.

    Attributes:
        meaning: What the preset is for, in one sentence.
        cutoff: The factor of the cutoff.
        spacing: The factor of the distance between k points.
        tolerance: The tolerance of the density residual.
    """

    meaning: str
    cutoff: float
    spacing: float
    tolerance: float

    def mesh(self, crystal: Crystal, recommended: Sequence[int]) -> tuple[int, int, int]:
        """The k mesh whose points are ``spacing`` times as far apart as those of the recommended one."""
        points = [min(100, max(1, ceil(n / self.spacing - 1e-6))) for n in recommended]
        first, second, third = flat_along_vacuum(crystal, points)
        return first, second, third

    def settings(self, recommended: CalculationSettings) -> dict[str, Any]:
        """``ecut_ha``, ``kmesh`` and ``tolerance``, from a calculation with what is recommended for the crystal."""
        factor = self.cutoff if recommended.basis_kind.cutoff_limits_functions else 1.0
        return {
            "ecut_ha": round(factor * recommended.ecut_ha, 2),
            "kmesh": self.mesh(recommended.crystal, recommended.kmesh),
            "tolerance": self.tolerance,
        }


PRESETS: dict[str, Preset] = {
    "quick look": Preset("Teaching settings, not converged: to see how it works.", 0.75, 1.6, 1e-4),
    "balanced": Preset("The recommended cutoff and k mesh.", 1.0, 1.0, 1e-6),
    "converged": Preset("Higher cutoff, denser k mesh, tighter tolerance: figures to be trusted.", 1.25, 0.6, 1e-8),
}
