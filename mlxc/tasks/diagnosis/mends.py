"""What to do about the cause that a diagnosis has found: settings to change, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from mlxc.basis.gaussian.kind import GAUSSIAN_ORBITALS
from mlxc.basis.planewave.kind import PLANE_WAVES
from mlxc.calculation.calculation import Calculation
from mlxc.tasks.diagnosis.checks.basis_set import HIGHER as HIGHER_CUTOFF
from mlxc.tasks.diagnosis.checks.extrapolation import clamping_mends
from mlxc.tasks.diagnosis.checks.kpoints import denser_calculation
from mlxc.tasks.diagnosis.checks.vacuum import HIGHER, in_higher_cell
from mlxc.tasks.diagnosis.finding import Cause
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest
from mlxc.xc.checkpoints.files import CLAMPED, checkpoint_of, shipped_checkpoints
from mlxc.xc.checkpoints.record import read_record

# The form that keeps exact conditions whatever its weights are, see mlxc.xc.enhancement.
CONSTRAINED_FORM = "neural-enhancement"


@dataclass(frozen=True)
class Mend:
    """One thing to try.

    Attributes:
        label: What it is, in a few words.
        why: What is known of it, in a sentence.
        changes: The settings of the calculation to change, by their names.
    """

    label: str
    why: str
    changes: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def mends_of(culprit: Cause | None, tested: CalculationUnderTest) -> tuple[Mend, ...]:
    """What to try against the worst cause; nothing where there is none."""
    calculation = tested.asked
    if culprit == "model":
        return _other_functionals(tested)
    if culprit == "k points":
        return (_denser_mesh(calculation),)
    if culprit == "vacuum":
        structure = in_higher_cell(calculation.crystal, HIGHER).to_dict()
        return (
            Mend("A thicker vacuum", "The images of the sheet then hardly feel each other.", {"structure": structure}),
        )
    if culprit == "basis":
        return (_better_basis(calculation),)
    if culprit == "self-consistency":
        return (_calmer(calculation),)
    return ()


def _other_functionals(tested: CalculationUnderTest) -> tuple[Mend, ...]:
    xc, baseline = tested.asked.xc, tested.baseline_name
    found = []
    record = checkpoint_of(xc)
    if record is not None and record.domain and not xc.startswith(CLAMPED):
        found.append(Mend("The same network, held inside its domain", _of_clamped(tested), {"xc": f"{CLAMPED}{xc}"}))
    if record is not None:
        found += [
            Mend(
                f"{name}, constrained by its form",
                "It has learned from the same data, and keeps exact conditions wherever it is asked.",
                {"xc": name},
            )
            for name, path in shipped_checkpoints().items()
            if name != xc and _is_constrained_twin(read_record(path), record)
        ]
    return (*found, Mend(baseline, "What the network ought to come near.", {"xc": baseline}))


def _is_constrained_twin(other: Any, record: Any) -> bool:
    same_data = other.training_data == record.training_data and record.training_data != ""
    return same_data and other.architecture == CONSTRAINED_FORM != record.architecture


def _of_clamped(tested: CalculationUnderTest) -> str:
    mended = clamping_mends(tested)
    if mended:
        return f"So it comes near {tested.baseline_name} here."
    if mended is None:
        return "Whether that is enough here is not measured."
    return (
        "Here that is not enough." if not tested.clamped.converged else "So the SCF settles, but the size stays wrong."
    )


def _denser_mesh(calculation: Calculation) -> Mend:
    denser = denser_calculation(calculation)
    changes = denser.model_dump(include={"kmesh", "smearing", "width_ha"})
    return Mend(f"A k mesh of {' x '.join(map(str, denser.kmesh))}", "It holds the points that matter.", changes)


def _better_basis(calculation: Calculation) -> Mend:
    if calculation.basis_kind is GAUSSIAN_ORBITALS:
        changes: dict[str, Any] = {"basis": PLANE_WAVES.name, "gaussian_basis": None, "gaussian_basis_names": {}}
        return Mend("Plane waves", "They are complete up to their cutoff.", changes)
    ecut = round(HIGHER_CUTOFF * calculation.ecut_ha, 1)
    return Mend(f"A cutoff of {ecut:g} Ha", "It leaves less out.", {"ecut_ha": ecut})


def _calmer(calculation: Calculation) -> Mend:
    width = 2 * (calculation.width_ha or 0.005)
    smearing = "fermi-dirac" if calculation.smearing == "none" else calculation.smearing
    return Mend(
        f"A smearing width of {width:g} Ha",
        "Levels then change places less abruptly.",
        {"smearing": smearing, "width_ha": width},
    )
