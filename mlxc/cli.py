"""The command line: ``mlxc scf``, ``eos``, ``bands``, ``diagnose``, ``compare``, ``run``, ``export``, ``app`` ...

Exit code 0 means converged, 2 bad input (one sentence on standard error), 3 not converged (the result is printed all
the same), 130 interrupted. With ``--json`` exactly one JSON object goes to standard output. The parser imports no
torch, so that help and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mlxc import __version__
from mlxc.checkpoint_commands import add_checkpoint_commands
from mlxc.errors import InputError, MlxcError
from mlxc.run_commands import add_export_command, add_run_command
from mlxc.training_commands import add_evaluation_command, add_training_command

CONVERGED, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 2, 3, 130


class SentenceParser(argparse.ArgumentParser):
    """A parser whose mistakes are sentences, as all bad input is."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}; '{self.prog} --help' lists what there is.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        options, unparsed = _parser().parse_known_args(arguments)
        if unparsed and options.command is not _app:
            raise InputError(f"'{unparsed[0]}' is not understood; 'mlxc {options.name} --help' lists what there is.")
        command: Callable[[argparse.Namespace, list[str]], int] = options.command
        return command(options, unparsed)
    except MlxcError as error:
        return _fail(str(error), BAD_INPUT)
    except MemoryError:
        return _fail("The machine ran out of memory; lower the cutoff or the k mesh.", BAD_INPUT)
    except KeyboardInterrupt:
        return _fail("Interrupted.", INTERRUPTED)


def _fail(sentence: str, code: int) -> int:
    print(f"mlxc: {' '.join(sentence.split())}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        prog="mlxc", description="Differentiable density-functional theory for crystals.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"mlxc {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, dest="name", metavar="command")

    scf = commands.add_parser("scf", help="the ground state of a crystal", allow_abbrev=False)
    scf.set_defaults(command=_scf)
    _add_calculation(scf)
    _add_save(scf)

    eos = commands.add_parser("eos", help="equation of state: lattice constant, bulk modulus", allow_abbrev=False)
    eos.set_defaults(command=_eos)
    _add_calculation(eos)
    _add_save(eos)
    _add_volumes(eos)

    bands = commands.add_parser("bands", help="bands along the standard path, and the gap", allow_abbrev=False)
    bands.set_defaults(command=_bands)
    _add_calculation(bands)
    _add_save(bands)
    bands.add_argument("--points", type=int, default=60, metavar="N", help="k points along the path (60)")

    diagnose = commands.add_parser("diagnose", help="why a calculation disagrees: a verdict", allow_abbrev=False)
    diagnose.set_defaults(command=_diagnose)
    _add_calculation(diagnose)
    _add_save(diagnose)
    diagnose.add_argument("--html", type=Path, metavar="FILE.html", help="write a report with plots, in one file")

    compare = commands.add_parser("compare", help="the same here and in PySCF and GPAW", allow_abbrev=False)
    compare.set_defaults(command=_compare)
    _add_calculation(compare)
    compare.add_argument("--codes", nargs="+", metavar="CODE", help="pyscf, gpaw (those that are installed)")
    compare.add_argument("--eos", action="store_true", help="equations of state: lattice constant, bulk modulus")
    _add_volumes(compare)

    checkpoint = commands.add_parser("checkpoint", help="files that hold trained functionals", allow_abbrev=False)
    add_checkpoint_commands(checkpoint, SentenceParser)

    train = commands.add_parser("train", help="train a functional on crystals", allow_abbrev=False)
    add_training_command(train)

    evaluate = commands.add_parser("evaluate", help="lattice constants of many solids", allow_abbrev=False)
    add_evaluation_command(evaluate)

    run = commands.add_parser("run", help="compute the task in the folder of a run", allow_abbrev=False)
    add_run_command(run)

    export = commands.add_parser("export", help="files and scripts of a run in a folder", allow_abbrev=False)
    add_export_command(export)

    app = commands.add_parser("app", help="open the dashboard in a browser", allow_abbrev=False, add_help=False)
    app.set_defaults(command=_app)
    return parser


def _add_calculation(parser: argparse.ArgumentParser) -> None:
    """The options of a calculation; what is not given is left to :class:`mlxc.Calculation`."""
    add = parser.add_argument
    add("structure", help="a shipped name such as 'al', or a file: CIF, POSCAR, extended XYZ, ...")
    add(
        "--xc",
        metavar="NAME",
        help="functional, checkpoint, libxc's gga_x_b88,gga_c_lyp, or a sum: '0.5*pbe + 0.5*lda' (pbe)",
    )
    add("--pseudo", metavar="FAMILY", help="pseudopotentials: pseudodojo, gth, gth-pbe, gth-pade, gth-uzh, or a folder")
    add("--pseudo-name", nargs="+", action="extend", metavar="EL=NAME", help="such as Mg=GTH-PBE-q2 O=GTH-PBE-q6")
    add("--basis", metavar="KIND", help="basis set: plane waves, pw, or Gaussian orbitals, gaussian (pw)")
    add("--gaussian-basis", metavar="NAME", help="of Gaussian orbitals, such as gth-tzvp (gth-dzvp-molopt-sr)")
    add("--gaussian-name", nargs="+", action="extend", metavar="EL=NAME", help="another set for an element")
    add(
        "--ecut",
        type=float,
        metavar="HA",
        help="plane-wave cutoff, which is also the grid's, hartree (what pseudopotentials or Gaussians need)",
    )
    add("--kmesh", type=int, nargs=3, metavar="N", help="Gamma-centred k mesh")
    add("--smearing", metavar="KIND", help="fermi-dirac, gaussian, marzari-vanderbilt, or none (fixed occupations)")
    add("--width", type=float, metavar="HA", help="width of the smearing, hartree")
    add("--spin", action="store_true", default=None, help="collinear spin, from the moments of the structure")
    add("--total-moment", type=float, metavar="MB", help="magnetic moment of the cell to hold, Bohr magneton")
    add("--fft-grid", type=int, nargs=3, metavar="N", help="real-space grid")
    add("--cutoff-smoothing", type=float, metavar="HA", help="smooths energies as functions of the volume, hartree")
    add("--tolerance", type=float, metavar="T", help="density residual at which the SCF has converged")
    add("--max-iterations", type=int, metavar="N", help="SCF steps before giving up")
    add("--device", metavar="D", help="where torch computes (cpu)")
    add("--seed", type=int, metavar="N", help="seed of the random numbers (0)")
    add("--json", action="store_true", help="print one JSON object to standard output")


def _add_save(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--save", type=Path, metavar="FILE.h5", help="write density, potential, eigenvalues and orbitals"
    )


def _add_volumes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--points", type=int, metavar="N", help="number of volumes, or areas (7)")
    parser.add_argument(
        "--volume-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="in units of the given volume, or area (0.94 1.06)",
    )
    parser.add_argument(
        "--vary",
        metavar="WHAT",
        help="volume, or area: of a sheet, at fixed height (area if there is a vacuum along one lattice direction)",
    )


def _calculation_fields(options: argparse.Namespace) -> dict[str, Any]:
    fields = {
        "structure": options.structure,
        "xc": options.xc,
        "pseudo": options.pseudo,
        "pseudo_names": _names_of_elements("--pseudo-name", "Al=GTH-PBE-q3", options.pseudo_name),
        "basis": options.basis,
        "gaussian_basis": options.gaussian_basis,
        "gaussian_basis_names": _names_of_elements("--gaussian-name", "Al=gth-tzvp", options.gaussian_name),
        "ecut_ha": options.ecut,
        "kmesh": options.kmesh,
        "smearing": options.smearing,
        "spin": options.spin,
        "total_moment": options.total_moment,
        "width_ha": options.width,
        "fft_grid": options.fft_grid,
        "cutoff_smoothing_ha": options.cutoff_smoothing,
        "tolerance": options.tolerance,
        "max_iterations": options.max_iterations,
        "device": options.device,
        "seed": options.seed,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _names_of_elements(option: str, example: str, assignments: list[str] | None) -> dict[str, str] | None:
    if assignments is None:
        return None
    for assignment in assignments:
        if not all(assignment.partition("=")):
            raise InputError(f"{option} takes ELEMENT=NAME, such as {example}, not '{assignment}'.")
    return dict(assignment.split("=", 1) for assignment in assignments)


def _volume_fields(options: argparse.Namespace) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if options.points is not None:
        fields["points"] = options.points
    if options.volume_range is not None:
        fields["lowest_volume"], fields["highest_volume"] = options.volume_range
    if options.vary is not None:
        fields["vary"] = options.vary
    return fields


def _scf(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.calculation import Calculation
    from mlxc.progress import Progress
    from mlxc.report import ground_state_report

    _check_writable(options.save)
    calculation = Calculation.from_dict(_calculation_fields(options))
    with Progress() as progress:
        ground = calculation.run(monitor=progress.record)
    if options.save is not None:
        ground.save(options.save)
    return _finish(options, ground, ground_state_report)


def _eos(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.calculation import EquationOfStateTask
    from mlxc.progress import Progress
    from mlxc.report import equation_of_state_report

    _check_writable(options.save)
    task = {"calculation": _calculation_fields(options)} | _volume_fields(options)
    with Progress() as progress:
        equation = EquationOfStateTask.from_dict(task).run(monitor=progress.record, on_point=progress.point)
    if options.save is not None:
        equation.reference.save(options.save)
    return _finish(options, equation, equation_of_state_report)


def _bands(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.calculation import Calculation
    from mlxc.progress import Progress
    from mlxc.properties.bands import band_structure
    from mlxc.report import band_report

    _check_writable(options.save)
    if options.points < 2:
        raise InputError(f"--points: a path needs at least 2 k points, not {options.points}.")
    calculation = Calculation.from_dict(_calculation_fields(options))
    with Progress() as progress:
        ground = calculation.run(monitor=progress.record)
    if options.save is not None:
        ground.save(options.save)
    return _finish(options, band_structure(ground, options.points), band_report)


def _diagnose(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.diagnosis.task import DiagnosisTask
    from mlxc.progress import Progress
    from mlxc.report import diagnosis_report

    _check_writable(options.save)
    _check_writable(options.html, "--html")
    task = DiagnosisTask.from_dict({"calculation": _calculation_fields(options)})
    with Progress() as progress:
        diagnosis = task.run(monitor=progress.record, on_finding=progress.finding)
    if options.save is not None and diagnosis.state is not None:
        diagnosis.state.save(options.save)
    if options.html is not None:
        from mlxc.diagnosis.html_report import write_html_report

        write_html_report(diagnosis.summary(), options.html)
    print(json.dumps(diagnosis.summary(), indent=1) if options.json else diagnosis_report(diagnosis.summary()))
    return CONVERGED


def _compare(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.calculation import Calculation, EquationOfStateTask
    from mlxc.progress import ComparisonProgress
    from mlxc.references.live import choose_codes
    from mlxc.report import comparison_report

    codes = choose_codes(options.codes)
    # Gaussians are what PySCF has as well.
    fields, volumes = {"basis": "gaussian"} | _calculation_fields(options), _volume_fields(options)
    if volumes and not options.eos:
        raise InputError("--points, --volume-range and --vary belong to an equation of state; give --eos as well.")
    task: Calculation | EquationOfStateTask
    if options.eos:
        task = EquationOfStateTask.from_dict({"calculation": fields} | volumes)
    else:
        task = Calculation.from_dict(fields)
    from mlxc.comparison.compare import compare

    with ComparisonProgress() as progress:
        comparison = compare(task, codes, watcher=progress.record)
    return _finish(options, comparison, comparison_report)


def _app(_: argparse.Namespace, arguments: list[str]) -> int:
    try:
        from mlxc_app.launch import main as launch
    except ModuleNotFoundError as error:
        raise InputError(f"The dashboard needs '{error.name}': install it with pip install 'mlxc[app]'.") from None
    launch(arguments)
    return CONVERGED


def _finish(options: argparse.Namespace, result: Any, report: Callable[[dict[str, Any]], str]) -> int:
    summary = result.summary()
    print(json.dumps(summary, indent=1) if options.json else report(summary))
    if result.converged:
        return CONVERGED
    return _fail(result.message, NOT_CONVERGED)


def _check_writable(path: Path | None, option: str = "--save") -> None:
    """Find out before the calculation, not after it, that its result cannot be written."""
    if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
        raise InputError(f"{option}: the file '{path}' cannot be written.")


if __name__ == "__main__":
    sys.exit(main())
