"""The files that a person can take away from a run, each made when it is asked for.

A maker returns contents by file name (a path stands for what is in that file), and nothing where the run has no such
thing: one that was stopped has no density.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.export.command import needs_structure_file, shell_script
from mlxc.export.density import SavedDensity, cube_text, xsf_text
from mlxc.export.qcschema import qcschema_output
from mlxc.export.script import python_script
from mlxc.export.settings import structure_file, structure_lists
from mlxc.export.tables import record_tables
from mlxc.export.training import checkpoint_file, configuration_file
from mlxc.runs.folder import RunFolder
from mlxc.structures.cif.writing import cif_of
from mlxc.tasks.files import files_of
from mlxc.tasks.kinds import calculation_of

Files: TypeAlias = Mapping[str, str | Path]
COMMAND_FILE = "run.sh"
FOUND_MOMENTS = "The magnetic moments are those that the calculation has found, in Bohr magneton."
STARTING_MOMENTS = (
    "The magnetic moments are those that the calculation started with, in Bohr magneton; none are known from it."
)
SPIN_COMMENT = "spin density, up minus down, electrons/bohr^3"
DENSITY_COMMENT = "electron density, electrons/bohr^3"


@dataclass(frozen=True)
class Export:
    """One kind of file.

    Attributes:
        meaning: What it is, in a few words.
        make: The function that makes it from a run's folder.
    """

    meaning: str
    make: Callable[[RunFolder], Files]


def result_file(folder: RunFolder) -> Files:
    """The result, as ``--json`` prints it."""
    result = folder.result
    return {} if result is None else {"result.json": json.dumps(result, indent=1) + "\n"}


def qcschema_file(folder: RunFolder) -> Files:
    """The result of a self-consistent calculation as QCSchema; other tasks have no place in it."""
    task, result = folder.task, folder.result
    if result is None or not isinstance(task, Calculation):
        return {}
    output = qcschema_output(task.crystal, task.model_dump(mode="json"), result)
    return {"qcschema.json": json.dumps(output, indent=1) + "\n"}


def table_files(folder: RunFolder) -> Files:
    """The records, as comma-separated values."""
    return {f"{name}.csv": text for name, text in record_tables(folder).items()}


def state_file(folder: RunFolder) -> Files:
    """The HDF5 file with density, potential, eigenvalues and orbitals."""
    path = folder.ground_state_path
    return {path.name: path} if path.exists() else {}


def cube_files(folder: RunFolder) -> Files:
    """The density, and with spin polarisation the spin density, as Gaussian cube files."""
    return _density_files(folder, "cube", cube_text)


def xsf_files(folder: RunFolder) -> Files:
    """The same densities in XCrySDen's format."""
    return _density_files(folder, "xsf", xsf_text)


def structure_files(folder: RunFolder) -> Files:
    """The crystal as CIF, without symmetry, so that it keeps its cell; nothing where the run is about no crystal.

    Moments are those that the run has found, as far as it has, else those that it started with; the file says which.
    """
    if calculation_of(folder.task) is None:
        return {}
    crystal = Crystal.from_dict(structure_lists(folder.task))
    found = (folder.result or {}).get("atomic_moments_bohr_magneton")
    words = ""
    if found is not None and len(found) == len(crystal.species):
        crystal, words = replace(crystal, moments=np.array(found)), FOUND_MOMENTS
    elif crystal.moments.any():
        words = STARTING_MOMENTS
    return {f"{crystal.name}.cif": cif_of(crystal, words)}


def script_file(folder: RunFolder) -> Files:
    """The Python script that computes the run again, and the files that it reads."""
    return {"run.py": python_script(folder, files_beside=True), **files_of(folder.task)}


def command_files(folder: RunFolder) -> Files:
    """The command that computes the run again, and the structure and the files that it reads."""
    return {COMMAND_FILE: shell_script(folder, files_beside=True), **files_beside_command(folder)}


def files_beside_command(folder: RunFolder) -> Files:
    """What the command reads that computes the run again, where its files lie beside it."""
    return {**structure_beside(folder), **configuration_file(folder), **files_of(folder.task)}


def structure_beside(folder: RunFolder) -> Files:
    """The structure that the command reads; nothing where that is a shipped one."""
    return dict([structure_file(folder.task)]) if needs_structure_file(folder) else {}


EXPORTS: dict[str, Export] = {
    "script": Export("Python script that computes the run again", script_file),
    "cli": Export("the same as a command for a shell", command_files),
    "json": Export("all figures of the result", result_file),
    "qcschema": Export("the same in the JSON of quantum chemistry", qcschema_file),
    "csv": Export("steps and points as tables", table_files),
    "cif": Export("the crystal", structure_files),
    "cube": Export("density for VESTA, VMD, Avogadro", cube_files),
    "xsf": Export("density for XCrySDen, VESTA", xsf_files),
    "checkpoint": Export("the functional that has been trained", checkpoint_file),
    "yaml": Export("what mlxc train takes to train it again", configuration_file),
    "hdf5": Export("density, potential, levels, orbitals", state_file),
}


def _density_files(folder: RunFolder, suffix: str, text: Callable[..., str]) -> Files:
    density = SavedDensity.read(folder.ground_state_path)
    if density is None:
        return {}
    files = {f"density.{suffix}": text(density.crystal, density.total, DENSITY_COMMENT)}
    if density.spin is not None:
        files[f"spin_density.{suffix}"] = text(density.crystal, density.spin, SPIN_COMMENT)
    return files
