"""Fits a network to lattice constants at stored densities, with an ensemble that says how uncertain it is.

    python scripts/training/ensemble.py [--folder DIR] [--splits N]

``solids-gga`` starts from ``pbe-proxy`` and moves the last layers of both networks, 68 weights, so that the lattice
constants of 15 solids come out right; its covariance is Laplace's, scaled on these and on four more. ``overfit-gga``
moves the same weights with hardly anything that holds them back, for eight of the 15. Its members are fits to as many
solids drawn from these eight again and again, with replacement (B. Efron, Ann. Stat. 7, 1 (1979)).

Nine solids have no part in either, and both are judged by them. The lists were written down before the first fit: every
third solid of the library is for judging, and every fifth of the others for the scale. Two minutes on one core.

One list of nine solids may be a lucky one. With ``--splits`` nothing is written: lists of the same lengths are drawn by
chance, the fit is linearised around its start, and the mean fraction of errors within one standard deviation is told.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn

from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.uncertainty.laplace import errors_and_slopes, fit_lattice_constants, laplace_covariance
from mlxc.references.tables import measured_solids
from mlxc.solids.calibration import fraction_inside
from mlxc.xc.analysis.domain import domain_of
from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.checkpoints.ensemble import Ensemble, vector_of

CHECKPOINTS = Path(__file__).resolve().parents[2] / "assets" / "checkpoints"
START = "pbe-proxy"
INGREDIENTS = ("rho", "grad")
LAST_LAYERS = tuple(
    f"{network}_network.4.{what}" for network in ("exchange", "correlation") for what in ("weight", "bias")
)
# Of squared errors in percent over squared weights.
STIFFNESS, HARDLY_ANY = 1.0, 1e-3
MEMBERS, RESAMPLED, SEED = 16, 10, 0


def split(names: tuple[str, ...]) -> tuple[list[str], list[str], list[str]]:
    """The solids for training, for the scale of the bars, and for judging."""
    judged = list(names[1::3])
    others = [name for name in names if name not in judged]
    scaled = others[2::5]
    return [name for name in others if name not in scaled], scaled, judged


def with_laplace(trained: list[SolidCurve], scaled: list[SolidCurve]) -> tuple[nn.Module, Ensemble]:
    """The fit of the last layers."""
    learner = functional(START)
    fit_lattice_constants(learner, trained, LAST_LAYERS, STIFFNESS)
    covariance = laplace_covariance(learner, trained, scaled, LAST_LAYERS, STIFFNESS)
    names = ", ".join(curve.solid.name for curve in scaled)
    method = (
        f"Laplace's approximation of the last layers around the fit, scaled so that the squared errors over their "
        f"variances are one on average for the solids of training and {names}; members drawn with seed {SEED}"
    )
    return learner, Ensemble.of_covariance(learner, covariance, LAST_LAYERS, method, members=MEMBERS, seed=SEED)


def by_resampling(trained: list[SolidCurve]) -> tuple[nn.Module, Ensemble]:
    """A fit that nothing restrains, and fits to solids that are drawn from the same ones."""
    learner = functional(START)
    fit_lattice_constants(learner, trained, LAST_LAYERS, HARDLY_ANY)
    generator, members = torch.Generator().manual_seed(SEED), []
    for _ in range(RESAMPLED):
        drawn = torch.randint(len(trained), (len(trained),), generator=generator).tolist()
        member = functional(START)
        fit_lattice_constants(member, [trained[index] for index in drawn], LAST_LAYERS, HARDLY_ANY)
        members.append(vector_of(member, LAST_LAYERS))
    method = f"fits to {len(trained)} solids drawn with replacement from those of training, seed {SEED}"
    return learner, Ensemble.of_members(learner, torch.stack(members), LAST_LAYERS, method)


def fraction_over_splits(curves: list[SolidCurve], counts: tuple[int, int], draws: int) -> float:
    """The mean fraction of errors on solids for judging that are within one standard deviation, over random lists."""
    errors, slopes = errors_and_slopes(functional(START), curves, LAST_LAYERS)
    generator, fractions = torch.Generator().manual_seed(SEED), []
    for _ in range(draws):
        order = torch.randperm(len(curves), generator=generator)
        trained, known, judged = order[: counts[0]], order[: sum(counts)], order[sum(counts) :]
        fitted = slopes[trained]
        inverse = torch.linalg.inv(fitted.T @ fitted + STIFFNESS * torch.eye(slopes.shape[1], dtype=torch.float64))
        left = errors - slopes @ inverse @ fitted.T @ errors[trained]
        scores = left / (slopes @ inverse * slopes).sum(1).sqrt()
        fractions.append(fraction_inside((scores[judged] / scores[known].square().mean().sqrt()).tolist()))
    return sum(fractions) / draws


def metrics_of(learner: nn.Module, ensemble: Ensemble, sets: dict[str, list[SolidCurve]]) -> dict[str, float]:
    """For each set of solids the errors, the bars, and how many errors are within one standard deviation."""
    metrics = {}
    for name, curves in sets.items():
        errors, slopes = errors_and_slopes(learner, curves, ensemble.parameters)
        bars = (slopes @ ensemble.factor).norm(dim=1)
        metrics[f"{name}_rms_error_percent"] = float(errors.square().mean().sqrt())
        metrics[f"{name}_rms_standard_deviation_percent"] = float(bars.square().mean().sqrt())
        metrics[f"{name}_fraction_inside"] = fraction_inside((errors / bars).tolist())
    return metrics


def main() -> None:
    """Fit both and write their checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=CHECKPOINTS, help="for the checkpoints")
    parser.add_argument("--splits", type=int, metavar="N", help="random lists instead, and what is inside on average")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    library = FrozenLibrary()
    trained, scaled, judged = ([library.curve(name) for name in names] for names in split(tuple(measured_solids())))
    if arguments.splits:
        counts = len(trained), len(scaled)
        print(fraction_over_splits([*trained, *scaled, *judged], counts, arguments.splits))
        return
    few = trained[::2]
    made = {
        "solids-gga": (
            "neural generalised gradient: PBE's network, its last layers fitted to the lattice constants of 15 solids, "
            "with a covariance that says how uncertain it is",
            *with_laplace(trained, scaled),
            {"trained": trained, "scaled": scaled, "judged": judged},
        ),
        "overfit-gga": (
            "PBE's network, its last layers fitted to the lattice constants of eight solids without restraint; its "
            "ensemble says that it is not to be trusted",
            *by_resampling(few),
            {"trained": few, "judged": judged},
        ),
    }
    for name, (description, learner, ensemble, sets) in made.items():
        seen = [snapshot for curve in sets["trained"] for snapshot in curve.snapshots]
        solids = ", ".join(curve.solid.name for curve in sets["trained"])
        record = save_checkpoint(
            learner,
            arguments.folder / f"{name}.safetensors",
            name=name,
            description=description,
            ensemble=ensemble,
            baseline="pbe",
            training_data=f"measured lattice constants of {solids}, at the stored densities of PBE",
            seed=SEED,
            metrics=metrics_of(learner, ensemble, sets),
            domain=domain_of(({name: one.ingredients[name] for name in INGREDIENTS}, one.volumes) for one in seen),
            licence="MIT",
        )
        print(f"{name}: {record.metrics}", flush=True)


if __name__ == "__main__":
    main()
