"""What to do when the self-consistent field does not settle, and how to say why it did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from mlxc.errors import InputError
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.monitor import SCFRecord

# Steps within which the smallest residual so far has to be halved.
PATIENCE = 10
# Waves that are longer than about 10 bohr, 1/bohr; in a metal the charge sloshes in these.
LONG_WAVES = 0.6


@dataclass(frozen=True)
class MixingStage:
    """How a residual is mixed for some steps.

    Attributes:
        damping: The fraction of the preconditioned residual that is added, above zero and not above one.
        screening: The wave vector of Kerker's preconditioner, 1/bohr; zero for none.
        damping_of_rest: The fraction of the residual of magnetisation and kinetic-energy density that is added; by
            default it is that of the charge.

    Raises:
        InputError: a number is not in its range.
    """

    damping: float
    screening: float = 0.0
    damping_of_rest: float | None = None

    def __post_init__(self) -> None:
        for damping in (self.damping, self.of_rest):
            if not 0 < damping <= 1:
                raise InputError(f"mixer: the damping is a fraction above 0 and not above 1, not {damping}.")
        if not 0 <= self.screening < inf:
            raise InputError(f"mixer: the screening is a wave vector that is not negative, not {self.screening}.")

    @property
    def of_rest(self) -> float:
        """The fraction of the residual of magnetisation and kinetic-energy density."""
        return self.damping if self.damping_of_rest is None else self.damping_of_rest


def default_schedule(metal: bool, with_tau: bool = False) -> tuple[MixingStage, ...]:
    """Stages of mixing from the fastest to the safest.

    Anderson's combination learns the response of a small cell by itself, so at first only waves longer than about 20
    bohr, which make the charge of long cells slosh, are held back. In an insulator nothing screens long waves, so there
    Kerker's preconditioner would only hold them up. With potentials that depend on the kinetic-energy density, long
    steps of the charge lead too far. That density itself follows the orbitals at once, and all the better as the first
    one is but a guess from the density.

    Args:
        metal: Whether smearing fills the bands.
        with_tau: Whether the potential depends on the kinetic-energy density.
    """
    screenings = (0.3, 0.8, 1.2, 1.2) if metal else (0.0, 0.3, 0.8, 0.8)
    dampings = (0.6 if with_tau else 0.9, 0.4, 0.15, 0.05)
    of_rest = (1.0 if with_tau else 0.9, *dampings[1:])
    return tuple(MixingStage(*stage) for stage in zip(dampings, screenings, of_rest, strict=True))


def is_stuck(residuals: Sequence[float]) -> bool:
    """Whether the last ``PATIENCE`` steps of a stage of mixing have not halved the smallest residual before them."""
    if len(residuals) <= PATIENCE:
        return False
    return min(residuals[-PATIENCE:]) > 0.5 * min(residuals[:-PATIENCE])


def reason(grid: Grid, residual: Tensor, history: Sequence[SCFRecord], bands_suffice: bool, has_smearing: bool) -> str:
    """Why an SCF has not converged, as a clause for a person.

    Args:
        grid: The grid of the residual.
        residual: What came out of the last step minus what went in, Fourier coefficients ``(nspin, ngvector)``.
        history: The records of the whole SCF.
        bands_suffice: Whether smearing stayed below the highest computed band.
        has_smearing: Whether there is any.
    """
    steadier = "a larger smearing" if has_smearing else "a smearing such as fermi-dirac"
    if not bands_suffice:
        return "too few bands: smearing still reaches the highest one; choose a smaller width"
    magnetic = residual[0] - residual[1] if len(residual) == 2 else torch.zeros_like(residual[0])
    charge = residual.sum(0)
    if float(magnetic.norm()) > float(charge.norm()):
        moments = [record.magnetisation_bohr_magneton or 0.0 for record in history[-PATIENCE:]]
        return (
            f"the magnetic moment oscillates between {min(moments):.2f} and {max(moments):.2f} Bohr magneton; "
            f"start from other moments, hold the total moment, or choose {steadier}"
        )
    if len(history) > 1 and history[-1].density_residual < 0.3 * history[-2].density_residual:
        return "it was still converging; allow more iterations"
    long_waves = (grid.squares > 0) & (grid.squares < LONG_WAVES**2)
    if float(charge[long_waves].norm()) > 0.5 * float(charge.norm()):
        return f"charge sloshing: charge moves to and fro over long distances; choose {steadier}"
    return f"the density oscillates within the atoms; allow more iterations or choose {steadier}"
