"""What ``tests/golden`` pins, made by the version at hand.

Only the public face is used: the command line, the folders and files that it writes, and the names in ``mlxc``.
``python tests/golden/record.py`` writes it all anew, ``test_golden.py`` compares.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import h5py
from support import Outcome

import mlxc
from mlxc.cli import main

GOLDEN = Path(__file__).parent / "golden"
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
    "a moment without spin": ("scf", "al", "--total-moment", "1"),
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


def run_command(*words: str) -> Outcome:
    """What ``mlxc WORDS`` leaves behind, run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def command_line(command: str) -> dict[str, Any]:
    """The sub-commands, positional arguments and options of a command, as its help tells them."""
    with environment(COLUMNS="100000"):
        text = run_command(*command.split(), "--help").stdout
    usage, *paragraphs = text.split("\n\n")
    sections = {lines[0]: lines[1:] for lines in map(str.splitlines, paragraphs)}
    entries = [line for lines in sections.values() for line in lines]
    options = {}
    for line in entries:
        if found := re.match(r"  (-[\w-]+(?:, -[\w-]+)*)((?: \S+)*)(?:  |$)", line):
            name, value = found[1].split(", ")[-1], found[2].strip()
            options[name] = {"value": value, "required": re.search(rf"\[[^\]]*{name}\b", usage) is None}
    options["--help"]["required"] = False  # which the usage calls -h
    positional = re.findall(r"^  (\S+)", "\n".join(sections.get("positional arguments:", ())), re.MULTILINE)
    commands = re.findall(r"^ {4}(\S+)", "\n".join(sections.get("commands:", ())), re.MULTILINE)
    return {"commands": sorted(commands), "positional": positional, "options": options}


def result(name: str) -> dict[str, Any]:
    """The JSON object of a calculation, without the times that it took."""
    outcome = run_command(*RESULTS[name], *TIGHT)
    assert outcome.code == 0, outcome.stderr
    return without_times(json.loads(outcome.stdout))


def result_form(name: str, folder: Path) -> dict[str, Any]:
    """The keys and types of the JSON object of a command that writes to a folder what else it writes."""
    words = (FORMS | SLOW_FORMS)[name]
    out = ("--out", str(folder)) if words[0] == "evaluate" else ()
    outcome = run_command(*words, *out, "--json")
    assert outcome.code == 0, outcome.stderr
    found: dict[str, Any] = form(json.loads(outcome.stdout))
    return found


def without_times(value: dict[str, Any]) -> dict[str, Any]:
    """A result with ``seconds`` set to zero."""
    seconds = value["seconds"]
    return {**value, "seconds": dict.fromkeys(seconds, 0.0) if isinstance(seconds, dict) else 0.0}


def mistake(name: str) -> dict[str, Any]:
    """The exit code and what the last line on standard error says; what depends on rounding is masked."""
    outcome = run_command(*MISTAKES[name])
    sentence = outcome.stderr.splitlines()[-1]
    return {"code": outcome.code, "sentence": re.sub(r"\d\.\de[+-]\d\d", "#", sentence)}


def make_folder(task: dict[str, Any], root: Path, state: str = "queued") -> Path:
    """The folder of a run, as any program may write it."""
    folder = root / "given"
    folder.mkdir(parents=True)
    (folder / "task.json").write_text(json.dumps({"title": TITLE} | task))
    (folder / "status.json").write_text(json.dumps({"state": state, "message": ""}))
    return folder


def written_task(task: dict[str, Any], root: Path) -> dict[str, Any]:
    """The task file that is written when a run with this task is computed again; it ends after one step."""
    folder = make_folder(task, root, state="stopped")
    with environment(MLXC_MAX_SECONDS="0.0001"):
        outcome = run_command("run", str(folder))
    assert outcome.code == 130, outcome.stderr
    (again,) = set(root.glob("*/task.json")) - {folder / "task.json"}
    written: dict[str, Any] = json.loads(again.read_text())
    return written


def computed_folder(kind: str, root: Path) -> tuple[Path, str]:
    """The folder of a finished run, and the report on it with its numbers masked."""
    folder = make_folder(COMPUTED_TASKS[kind], root)
    outcome = run_command("run", str(folder))
    assert outcome.code == 0, outcome.stderr
    return folder, masked(outcome.stdout)


def masked(text: str) -> str:
    """A text with ``#`` in the place of numbers, and single blanks."""
    return re.sub(r"[ -]+(?=#)", " ", re.sub(r"\d+(\.\d+)?([e][+-]?\d+)?", "#", re.sub(r" +", " ", text)))


def folder_content(folder: Path) -> dict[str, Any]:
    """The names of a finished run's files, its result, and of what its records are made."""
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    kinds = dict.fromkeys(record["kind"] for record in records)
    with h5py.File(folder / "result.h5") as file:
        state = {name: list(dataset.shape) for name, dataset in file.items()}
    return {
        "files": sorted(path.name for path in folder.iterdir()),
        "status": sorted(json.loads((folder / "status.json").read_text())),
        "records": {kind: form([record for record in records if record["kind"] == kind]) for kind in kinds},
        "result": without_times(json.loads((folder / "result.json").read_text())),
        "state": state,
    }


def exports(folder: Path, target: Path) -> dict[str, Any]:
    """What can be taken away from a finished run; tables are in :func:`tables`."""
    assert run_command("export", str(folder), "--to", "zip", "--out", str(target)).code == 0
    with zipfile.ZipFile(target / f"{folder.name}.zip") as archive:
        contents = {Path(name).name: archive.read(name).decode() for name in archive.namelist() if ".h5" not in name}
        names = {Path(name).name for name in archive.namelist()}
    written = {}
    for kind in ("script", "cli", "json", "qcschema", "cif", "cube", "xsf", "hdf5"):
        outcome = run_command("export", str(folder), "--to", kind, "--out", str(target / kind))
        written[kind] = sorted(Path(line).name for line in outcome.stdout.splitlines())
    return {
        "archive": sorted(name for name in names if not name.endswith(".csv")),
        "files": written,
        "command": shlex.split(contents["run.sh"].replace("\\\n", ""), comments=True),
        "script": script_lines(contents["run.py"]),
        "structure": [contents[name] for name in names if name.endswith(".xyz")],
        "qcschema": form(json.loads(contents["qcschema.json"])) if "qcschema.json" in contents else None,
    }


def script_lines(text: str) -> list[str]:
    """A Python script that was taken away, without the version, the figures that were found, and homes of classes."""
    lines = [re.sub(r"^from mlxc[\w.]* import", "import", line) for line in text.splitlines()]
    return [masked(line) if line.startswith("#") else line for line in lines if "Written by mlxc" not in line]


def tables(folder: Path, target: Path) -> dict[str, list[str]]:
    """The columns of the tables of a run, by the names of their files."""
    run_command("export", str(folder), "--to", "csv", "--out", str(target / "csv"))
    return {path.name: next(csv.reader(path.open())) for path in sorted((target / "csv").iterdir())}


def save_state(name: str, path: Path) -> None:
    """Compute a state and write it."""
    outcome = run_command("scf", *STATES[name], *TIGHT, "--save", str(path))
    assert outcome.code == 0, outcome.stderr


def state_content(state: mlxc.GroundState) -> dict[str, Any]:
    """The numbers in a state."""
    return {
        "free_energy_ha": float(state.energy),
        "energies_ha": state.energies,
        "fermi_level_ha": state.fermi_level,
        "magnetisation": state.magnetisation,
        "density_shape": list(state.density.shape),
        "electrons": float(state.density.sum() * state.crystal.volume / state.density[0].numel()),
        "eigenvalues": state.eigenvalues.tolist(),
        "occupations": state.occupations.tolist(),
        "steps": len(state.history),
        "calculation": state.calculation,
    }


def defaults(name: str) -> dict[str, Any]:
    """The complete settings that are made of a few."""
    given = SHORT_SETTINGS[name]
    calculation = mlxc.Calculation.from_dict(given)
    task = mlxc.EquationOfStateTask.from_dict({"calculation": given})
    return {"calculation": calculation.model_dump(mode="json"), "eos": task.model_dump(mode="json")}


def names_in_readme() -> list[str]:
    """Dotted names of modules and of what is in them that README tells."""
    text = (GOLDEN.parents[1] / "README.md").read_text(encoding="utf-8")
    imported = re.findall(r"^from (mlxc[\w.]*) import (\w+)$", text, re.MULTILINE)
    inline = re.findall(r"`(mlxc\.[\w.]+)[`(]", text)
    entry_points = {"mlxc.functionals"}
    return sorted(({f"{module}.{name}" for module, name in imported} | set(inline)) - entry_points)


def form(value: Any) -> Any:
    """The keys and the types of JSON data; the entries of a list are merged into those that differ."""
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    if isinstance(value, list):
        entries = list({json.dumps(form(item), sort_keys=True): form(item) for item in value}.values())
        return sorted(entries, key=str)
    return {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}[type(value)]


def read(name: str) -> Any:
    """What is pinned under a name."""
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def write(name: str, value: Any) -> None:
    """Pin a value under a name."""
    path = GOLDEN / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{_text(value)}\n", encoding="utf-8")


def _text(value: Any, indent: str = "") -> str:
    """JSON with one entry of a dictionary a line, and lists of numbers in one line."""
    if isinstance(value, dict) and value:
        entries = [f"{indent} {json.dumps(key)}: {_text(item, indent + ' ')}" for key, item in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, str)) for item in value):
        return "[\n" + ",\n".join(f"{indent} {_text(item, indent + ' ')}" for item in value) + f"\n{indent}]"
    return json.dumps(value)
