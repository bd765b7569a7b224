"""Does the self-consistent field settle, and at the same state from wherever it starts?"""

from __future__ import annotations

from mlxc.kohn_sham.residual import WAVELENGTHS
from mlxc.tasks.diagnosis.finding import Curve, Finding, Plot
from mlxc.tasks.diagnosis.prediction import RATIOS
from mlxc.tasks.diagnosis.tolerable import NO_ANSWER
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest

TITLE = "Does the self-consistent field settle, and at the same state from wherever it starts?"
# Energies of the same state from two starts, millihartree per atom.
SAME_STATE_MHA = 0.05
# Share of the residual in waves longer than 10 bohr, over the last steps, from which charge sloshes.
SLOSHING = 0.5
BANDS = tuple(
    f"{low}{high} bohr"
    for low, high in zip(
        ("longer than ", *(f"{w:g} to " for w in WAVELENGTHS[:-1]), "shorter than "),
        (f"{WAVELENGTHS[0]:g}", *(f"{w:g}" for w in WAVELENGTHS[1:]), f"{WAVELENGTHS[-1]:g}"),
        strict=True,
    )
)


def examine_self_consistency(tested: CalculationUnderTest) -> Finding:
    """Look at the residuals of the calculation as it is given, and start it a second time from another density."""
    given = tested.given
    if given.state is None:
        return Finding("self-consistency", TITLE, f"{given.message}.", "self-consistency", *_failure(tested))
    history = given.history
    residuals = [record.density_residual for record in history]
    long_waves = [record.residual_spectrum[0] for record in history[-5:]]
    steps = [float(record.iteration) for record in history]
    plots = [_residual_plot(steps, residuals), _spectrum_plot(steps, [record.residual_spectrum for record in history])]
    numbers = {
        "steps": len(history),
        "last_density_residual": residuals[-1],
        "residual_falls_per_step": (residuals[-1] / residuals[0]) ** (1 / max(1, len(residuals) - 1)),
        "long_wave_share": sum(long_waves) / len(long_waves),
        "converged": given.converged,
    }
    sloshes = numbers["long_wave_share"] > SLOSHING and not given.converged
    words = [
        f"Converged after {len(history)} steps." if given.converged else f"It does not settle: {given.message}.",
        f"Each step multiplies the residual by {numbers['residual_falls_per_step']:.2g} on average.",
    ]
    if sloshes:
        words.append("The charge sloshes: most of the residual is in waves longer than 10 bohr.")
    if not given.converged:
        severity, effect = _failure(tested)
        words.append(_comparison(tested))
        return Finding("self-consistency", TITLE, " ".join(words), "self-consistency", severity, effect, numbers, plots)
    other = tested.predict(tested.calculation.at_volumes(RATIOS)[1], start=given.larger, with_size=False)
    change = other.energy_change_mha(given)
    numbers["energy_from_other_start_mha_per_atom"] = change
    words.append(
        "From the density of a larger crystal, it does not converge."
        if change is None
        else f"From the density of a larger crystal, it ends at an energy {change:+z.4f} mHa per atom from this one."
    )
    return Finding(
        test="self-consistency",
        title=TITLE,
        sentence=" ".join(words),
        cause="self-consistency",
        severity=NO_ANSWER / 10 if change is None else abs(change) / SAME_STATE_MHA,
        effect="another start ends elsewhere",
        numbers=numbers,
        plots=plots,
    )


def _residual_plot(steps: list[float], residuals: list[float]) -> Plot:
    curves = [Curve("residual", steps, residuals)]
    return Plot("Density residual of each step", "SCF step", "density residual (per electron)", curves, "y")


def _spectrum_plot(steps: list[float], spectra: list[tuple[float, ...]]) -> Plot:
    curves = [Curve(name, steps, [100 * spectrum[band] for spectrum in spectra]) for band, name in enumerate(BANDS)]
    return Plot("What waves the residual consists of", "SCF step", "share of the squared residual (%)", curves)


def _comparison(tested: CalculationUnderTest) -> str:
    """Whether it is the functional, told by what others do in its place."""
    if not tested.is_learned:
        return "More steps, or a larger smearing width, may help."
    settled = [name for name, answer in tested.stand_ins.items() if answer.converged]
    if settled:
        return f"It does with {' and '.join(settled)}, so that more steps or more smearing are no remedy."
    return "It does not with other functionals either; more steps, or a larger smearing width, may help."


def _failure(tested: CalculationUnderTest) -> tuple[float, str]:
    """Whether the SCF itself is to blame: not if it converges with another functional."""
    if tested.is_learned and (tested.clamped.converged or tested.baseline.converged):
        return 0.0, "it settles with other functionals"
    return NO_ANSWER, "the SCF does not settle"
