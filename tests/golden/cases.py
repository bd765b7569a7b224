"""What is pinned: commands, mistakes, tasks, states and settings, as a person would give them."""

from __future__ import annotations

from typing import Any

COMMANDS = (
    "", "scf", "eos", "bands", "gradient", "diagnose", "compare", "checkpoint", "checkpoint show", "checkpoint verify",
    "checkpoint convert", "checkpoint list", "train", "evaluate", "run", "export", "app",
)  # fmt: skip

# Tolerances that leave nothing but rounding, in every term of the energy.
TIGHT = ("--tolerance", "1e-11", "--json")
SILICON = ("si", "--pseudo", "gth", "--ecut", "6", "--kmesh", "2", "2", "2")
ALUMINIUM = ("al", "--pseudo", "gth", "--ecut", "6", "--kmesh", "3", "3", "3")
# Settings of which each tries something else; their energies are those of energies.json.
GROUND_STATES: dict[str, tuple[str, ...]] = {
    "lda-fixed-occupations": ("scf", *SILICON, "--xc", "lda"),
    "pbe-fermi-dirac": ("scf", *ALUMINIUM, "--width", "0.02"),
    "pbesol-core-correction": ("scf", "al", "--xc", "pbesol", "--ecut", "8", "--kmesh", "2", "2", "2"),
    "smoothed-cutoff-marzari-vanderbilt": (
        "scf", *ALUMINIUM, "--smearing", "marzari-vanderbilt", "--width", "0.02", "--cutoff-smoothing", "0.5",
    ),
    "r2scan": ("scf", *SILICON, "--xc", "r2scan"),
    "scan-core-correction": ("scf", "si", "--xc", "scan", "--ecut", "6", "--kmesh", "2", "2", "2"),
    "spin": ("scf", "ni", "--pseudo", "gth", "--ecut", "8", "--kmesh", "2", "2", "2", "--spin", "--width", "0.02"),
    "fixed-moment": ("scf", *ALUMINIUM, "--spin", "--total-moment", "1", "--smearing", "gaussian", "--width", "0.02"),
    "gaussian-orbitals": (
        "scf", "si", "--basis", "gaussian", "--gaussian-basis", "gth-szv", "--kmesh", "2", "2", "2",
    ),
    "network": ("scf", *SILICON, "--xc", "0.75*pbe + 0.25*pbe-proxy"),
    "sheet": ("scf", "graphene", "--pseudo", "gth", "--ecut", "5", "--kmesh", "3", "3", "1", "--width", "0.02"),
}  # fmt: skip
OTHER_RESULTS: dict[str, tuple[str, ...]] = {
    "eos": ("eos", *ALUMINIUM[:-3], "2", "2", "2", "--points", "5", "--cutoff-smoothing", "0.5"),
    "eos-of-a-sheet": (
        "eos", "graphene", "--pseudo", "gth", "--ecut", "4", "--kmesh", "2", "2", "1", "--points", "4",
        "--width", "0.05", "--volume-range", "0.9", "1.3",
    ),
    "bands": ("bands", *SILICON, "--points", "12"),
    "bands-of-a-metal": ("bands", *ALUMINIUM, "--points", "8", "--dos-width", "0.5"),
    "gradient-energy": ("gradient", *ALUMINIUM, "--xc", "pbe-kappa-mu", "--loss", "energy", "--step", "0.01"),
    "gradient-lattice-constant": (
        "gradient", "al", "--pseudo", "gth", "--ecut", "5", "--kmesh", "2", "2", "2", "--xc", "pbe-kappa-mu",
        "--loss", "lattice_constant",
    ),
    "gradient-gap": ("gradient", *SILICON, "--xc", "pbe-kappa-mu", "--loss", "gap", "--target", "1.17"),
    "gradient-unrolled": (
        "gradient", "si", "--pseudo", "gth", "--ecut", "3", "--kmesh", "1", "1", "1", "--xc", "pbe-kappa-mu",
        "--loss", "density_moment", "--unrolled",
    ),
}  # fmt: skip
RESULTS = GROUND_STATES | OTHER_RESULTS
# JSON of which the form alone is pinned.
FORMS: dict[str, tuple[str, ...]] = {
    "checkpoint-list": ("checkpoint", "list"),
    "checkpoint-show": ("checkpoint", "show", "solids-mgga"),
    "checkpoint-verify": ("checkpoint", "verify", "pbe-proxy"),
}
SLOW_FORMS: dict[str, tuple[str, ...]] = {
    "diagnose": ("diagnose", "al", "--pseudo", "gth", "--ecut", "5", "--kmesh", "2", "2", "2"),
    "compare": ("compare", "si", "--gaussian-basis", "gth-szv", "--kmesh", "1", "1", "1", "--codes", "pyscf"),
    "evaluate": ("evaluate", "sol58lc", "--solids", "Al_fcc"),
}

# What is not allowed, or does not converge: the exit code and the sentence on standard error are pinned.
MISTAKES: dict[str, tuple[str, ...]] = {
    "a cutoff of zero": ("scf", "al", "--ecut", "0"),
    "a structure that is not there": ("scf", "sillicon"),
    "a functional that is not there": ("scf", "al", "--xc", "pbesoll"),
    "pseudopotentials that are not there": ("scf", "al", "--pseudo", "nowhere", "--ecut", "5"),
    "a mesh without points": ("scf", "al", "--kmesh", "2", "0", "2"),
    "a word for a number": ("scf", "al", "--kmesh", "2", "two", "2"),
    "an unknown smearing": ("scf", "al", "--smearing", "fermi"),
    "an unknown option": ("scf", "al", "--cutoff", "5"),
    "an abbreviated option": ("scf", "al", "--tol", "1e-5"),
    "no structure": ("scf",),
    "no command": (),
    "a moment without spin": ("scf", "al", "--no-spin", "--total-moment", "1"),
    "spin with fixed occupations": ("scf", "si", "--spin"),
    "a Gaussian basis for plane waves": ("scf", "si", "--gaussian-basis", "gth-szv"),
    "an assignment without a name": ("scf", "al", "--pseudo-name", "Al"),
    "a file that cannot be written": ("scf", "al", "--save", "/nowhere/al.h5"),
    "too few points": ("eos", "al", "--points", "3"),
    "the area of a solid": ("eos", "al", "--vary", "area"),
    "a width that is too small": ("bands", "si", "--dos-width", "0"),
    "a functional without parameters": ("gradient", "al", "--loss", "energy"),
    "a gap with smearing": ("gradient", "al", "--xc", "pbe-kappa-mu", "--loss", "gap", "--smearing", "gaussian",
                            "--width", "0.01"),
    "no loss": ("gradient", "al"),
    "a report that cannot be written": ("diagnose", "al", "--html", "/nowhere/al.html"),
    "a code that nobody knows": ("compare", "al", "--codes", "vasp"),
    "points without an equation of state": ("compare", "al", "--points", "5"),
    "a checkpoint that is not there": ("checkpoint", "show", "nothing"),
    "a table that is not there": ("evaluate", "nothing"),
    "no processes": ("evaluate", "sol58lc", "--processes", "0"),
    "a configuration that is not there": ("train", "nothing.yaml"),
    "a folder without a run": ("run", "/nowhere"),
    "files of a folder without a run": ("export", "/nowhere", "--to", "zip"),
    "files of an unknown kind": ("export", "/nowhere", "--to", "pdf"),
    "too few steps": ("scf", "si", "--pseudo", "gth", "--ecut", "5", "--kmesh", "1", "1", "1", "--max-iterations", "2"),
    "no minimum": ("eos", "al", "--ecut", "8", "--kmesh", "3", "3", "3", "--points", "4", "--tolerance", "1e-5",
                   "--volume-range", "0.8", "1.001"),
}  # fmt: skip

_QUICK = {"structure": "si", "pseudo": "gth", "ecut_ha": 5, "kmesh": [2, 2, 2], "tolerance": 1e-10}
_QUICK_METAL = {**_QUICK, "structure": "al", "smearing": "gaussian", "width_ha": 0.02, "spin": True, "xc": "pbesol"}
# Tasks of run folders as a person would write them: of each kind one that is computed.
COMPUTED_TASKS: dict[str, dict[str, Any]] = {
    "scf": {"task": "scf", **_QUICK_METAL, "structure": {
        "name": "my aluminium (1)", "lattice_ang": [[0, 2.01, 2.01], [2.02, 0, 2.02], [2.03, 2.03, 0]],
        "species": ["Al"], "fractional_positions": [[0, 0, 0]], "moments_bohr_magneton": [0.5],
    }},
    "eos": {"task": "eos", "calculation": _QUICK, "points": 4, "lowest_volume": 0.85, "highest_volume": 1.2},
    "bands": {"task": "bands", "calculation": {**_QUICK, "xc": "lda"}, "points": 6, "dos_width_ev": 0.3},
    "gradient": {"task": "gradient", "calculation": {**_QUICK, "xc": "pbe-kappa-mu"}, "loss": "gap", "target": 1.0},
}  # fmt: skip
# Further ones, that are stopped after one step of the first SCF.
STOPPED_TASKS: dict[str, dict[str, Any]] = {
    "diagnosis": {"task": "diagnosis", "calculation": _QUICK},
    "scf-defaults": {"task": "scf", "structure": "al", "pseudo": "gth", "ecut_ha": 5},
    "scf-everything": {
        "task": "scf", "structure": "al", "xc": "-0.5*pbe + 1.5*lda", "ecut_ha": 7.5, "kmesh": [2, 3, 2],
        "smearing": "gaussian", "width_ha": 0.02, "spin": True, "total_moment": -1.25, "pseudo": "gth",
        "pseudo_names": {"Al": "GTH-PBE-q3"}, "cutoff_smoothing_ha": 0.3, "tolerance": 3e-7, "max_iterations": 33,
        "seed": 4, "fft_grid": [24, 24, 24], "device": "cpu",
    },
    "scf-gaussian": {
        "task": "scf", "structure": "si", "basis": "gaussian", "gaussian_basis": "gth-dzvp", "ecut_ha": 5,
        "gaussian_basis_names": {"Si": "gth-szv"}, "kmesh": [1, 1, 1],
    },
    "eos-area": {
        "task": "eos", "calculation": {"structure": "graphene", "pseudo": "gth", "ecut_ha": 4, "kmesh": [1, 1, 1]},
    },
    "gradient-step": {
        "task": "gradient", "calculation": {**_QUICK, "xc": "pbe-kappa-mu"}, "loss": "density_moment",
        "target": 1.5, "mode": "unrolled", "step": 0.02,
    },
}  # fmt: skip
TASKS = COMPUTED_TASKS | STOPPED_TASKS
TITLE = 'A "title"; 100 %'

# Saved states, whose files are committed.
STATES: dict[str, tuple[str, ...]] = {
    "plane-waves": ("si", "--pseudo", "gth", "--ecut", "4", "--kmesh", "2", "2", "1"),
    "spin-meta-gga": (
        "al", "--pseudo", "gth", "--ecut", "4", "--kmesh", "1", "1", "1", "--xc", "r2scan", "--spin",
        "--total-moment", "1", "--width", "0.02",
    ),
    "gaussian-orbitals": (
        "si", "--basis", "gaussian", "--gaussian-basis", "gth-szv", "--ecut", "3", "--kmesh", "1", "1", "1",
    ),
}  # fmt: skip

# Settings of which mlxc.Calculation and mlxc.EquationOfStateTask make complete ones.
SHORT_SETTINGS: dict[str, dict[str, Any]] = {
    **{name: {"structure": name} for name in ("al", "ca", "diamond", "gaas", "graphene", "hbn", "mg", "mgo", "ni")},
    "gth": {"structure": "mgo", "pseudo": "gth"},
    "gth-uzh": {"structure": "nacl", "pseudo": "gth-uzh"},
    "gaussian": {"structure": "mgo", "basis": "gaussian"},
    "width-of-an-insulator": {"structure": "si", "width_ha": 0.005},
    "smearing-of-an-insulator": {"structure": "si", "smearing": "gaussian"},
    "metal-without-smearing": {"structure": "al", "smearing": "none"},
    "spin": {"structure": "ni", "spin": True},
}  # fmt: skip
