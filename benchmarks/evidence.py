"""Regenerates the evidence: runs the benchmarks, keeps what they print, and puts that where it is quoted.

    python benchmarks/evidence.py               # everything: some hours, with all other codes installed
    python benchmarks/evidence.py speed headline
    python benchmarks/evidence.py --quote       # computes nothing; what is kept goes where it is quoted

What a benchmark prints is kept in ``benchmarks/results/NAME.md``, between the command and a line with date, duration,
versions and machine. Between ``<!-- evidence: NAME -->`` and ``<!-- end -->``, README.md and the cards of the
checkpoints have what NAME printed, docs/evidence.md the command and that line as well. A benchmark that needs a
program that is not installed, or that fails, leaves what was kept before, and says so.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "evidence.md"
QUOTING = (PAGE, ROOT / "README.md", ROOT / "assets" / "checkpoints" / "README.md")
QUOTED = re.compile(r"(<!-- evidence: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
# How to ask a program for its version; Python packages are asked through their metadata.
ASKED = {"pw.x": "-h", "elk-lapw": ""}


@dataclass(frozen=True)
class Benchmark:
    """A command, the programs without which it makes no sense, and packages whose version matters."""

    command: str
    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


# Writes where elements.py looks.
PSEUDODOJO = "python benchmarks/pseudodojo_files.py >&2"

# Of the crystals of a normal day.
UP_TO_NINE_ATOMS = "si8 tio2-rutile batio3 cspbi3 nio-afm fe cr-afm al111-5l mos2 h2o-box zno quartz"
NORMAL_DAY = f"{UP_TO_NINE_ATOMS} si64 al32"
BY_ITSELF = "python benchmarks/real_crystals.py --alone --cores 1 --xc"

# Of the largest deviations from all electrons those that have no minimum on the coarse mesh.
FINE_MESH = "--kspacing 0.2 --width 0.00225 Ba/Diamond Sc/Diamond Y/Diamond Hg/FCC"

BENCHMARKS = {
    "accuracy": Benchmark("python benchmarks/accuracy.py"),
    "equations_of_state": Benchmark("python benchmarks/equations_of_state.py", ("pw.x",)),
    "magnetic_orders": Benchmark(f"{PSEUDODOJO} && python benchmarks/magnetic_orders.py", ("pw.x",)),
    "elements": Benchmark(f"{PSEUDODOJO} && python benchmarks/elements.py"),
    "every_element": Benchmark("python benchmarks/every_element.py"),
    "compounds": Benchmark("python benchmarks/compounds.py"),
    "acwf": Benchmark("python benchmarks/acwf.py --report"),
    "acwf_coulomb_tail": Benchmark("python benchmarks/acwf.py --pseudo pseudodojo-coulomb-tail --report"),
    "acwf_beside_qe": Benchmark("python benchmarks/acwf_beside_qe.py", ("pw.x",)),
    "acwf_beside_qe_fine": Benchmark(f"python benchmarks/acwf_beside_qe.py {FINE_MESH}", ("pw.x",)),
    "magnets": Benchmark(f"{PSEUDODOJO} && python benchmarks/magnets.py"),
    "meta_gga": Benchmark(f"{PSEUDODOJO} && python benchmarks/meta_gga.py"),
    "relaxations": Benchmark(f"{PSEUDODOJO} && python benchmarks/relaxations.py si mgo mos2 h2o al"),
    "headline": Benchmark("python benchmarks/headline.py", ("gpaw", "elk-lapw"), ("pyscf",)),
    "speed": Benchmark("python benchmarks/speed.py", ("pw.x",)),
    "speed_gth": Benchmark("python benchmarks/speed.py --pseudo gth", ("pw.x", "abinit")),
    "real_crystals": Benchmark(f"{PSEUDODOJO} && python benchmarks/real_crystals.py {NORMAL_DAY}", ("pw.x",)),
    "real_crystals_r2scan": Benchmark(f"{PSEUDODOJO} && {BY_ITSELF} r2scan {NORMAL_DAY}"),
    "real_crystals_solids_mgga": Benchmark(f"{PSEUDODOJO} && {BY_ITSELF} solids-mgga {NORMAL_DAY}"),
    "real_forces": Benchmark(f"{PSEUDODOJO} && python benchmarks/real_forces.py {UP_TO_NINE_ATOMS}", ("pw.x",)),
    "scaling": Benchmark(f"{PSEUDODOJO} && python benchmarks/scaling.py"),
    "gpu": Benchmark("python benchmarks/gpu.py --repeats 2", ("nvidia-smi",)),
    "gaussian_basis": Benchmark("python benchmarks/gaussian_basis.py", packages=("pyscf",)),
    "basis_convergence": Benchmark("python benchmarks/basis_convergence.py"),
    "gradients": Benchmark("python benchmarks/gradients.py accuracy al si ni graphene"),
    "gradients_gaussian": Benchmark("python benchmarks/gradients.py accuracy al-gaussian si-gaussian h-gaussian"),
    "gradients_cost": Benchmark("python benchmarks/gradients.py cost"),
    "molecules": Benchmark("python benchmarks/molecules.py", packages=("pyscf",)),
    "neural_functional": Benchmark("python benchmarks/neural_functional.py"),
    "training": Benchmark("rm -rf build/kappa-mu && mlxc train scripts/training/kappa-mu.yaml --out build/kappa-mu"),
    "training_speed": Benchmark("python benchmarks/training.py"),
    "solids": Benchmark(f"{PSEUDODOJO} && python benchmarks/solids.py"),
    "functionals": Benchmark("python benchmarks/functionals.py"),
    "screening": Benchmark("python benchmarks/screening.py"),
    "exhibit": Benchmark("python benchmarks/exhibit.py"),
    "diagnosis": Benchmark("python benchmarks/diagnosis.py"),
    "page_opening": Benchmark("python benchmarks/page.py opening", ("chromium",), ("voila",)),
    "page_run": Benchmark("python benchmarks/page.py run", ("chromium",), ("voila",)),
    "page_memory": Benchmark("python benchmarks/page.py memory", ("chromium",), ("voila",)),
    "page_class": Benchmark("python benchmarks/page.py class", ("chromium",), ("voila",)),
    "page_train": Benchmark("python benchmarks/page.py train", ("chromium",), ("voila",)),
    "page_path": Benchmark("python benchmarks/page.py path", ("chromium",), ("voila",)),
    "page_models": Benchmark("python benchmarks/page_models.py", ("chromium",), ("voila",)),
}


def measure(name: str) -> bool:
    """Run a benchmark and keep what it prints; whether that was possible."""
    benchmark = BENCHMARKS[name]
    if missing := [program for program in benchmark.programs if shutil.which(program) is None]:
        print(f"{name}: {', '.join(missing)} not installed; the last result stays.", file=sys.stderr)
        return False
    print(f"{name}: {benchmark.command}", file=sys.stderr, flush=True)
    started = time.perf_counter()
    # Commands are those of the environment in which this runs.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    shell = ["bash", "-c", benchmark.command]
    ended = subprocess.run(shell, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if ended.returncode:
        print(f"{name}: ended with code {ended.returncode}; the last result stays.", file=sys.stderr)
        return False
    keep(name, ended.stdout, time.perf_counter() - started)
    return True


def keep(name: str, printed: str, seconds: float) -> None:
    """Write what a benchmark printed, and under what circumstances."""
    benchmark = BENCHMARKS[name]
    versions = [f"{package} {version(package)}" for package in ("mlxc", "torch", *benchmark.packages)]
    versions += [f"{program} {program_version(program)}" for program in benchmark.programs]
    circumstances = f"{date.today()}, {seconds:.0f} s; {', '.join(versions)}; {machine()}."
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(f"`{benchmark.command}`\n\n{printed.strip()}\n\n{circumstances}\n")


def program_version(program: str) -> str:
    """What a program says about itself."""
    # Quantum ESPRESSO leaves a file behind.
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            [program, *shlex.split(ASKED.get(program, "--version"))], cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        )  # fmt: skip
    found = re.search(r"\d+\.\d+(\.\d+)*", answer.stdout)
    return " ".join(filter(None, [found[0] if found else "(version unknown)", linear_algebra(program)]))


def linear_algebra(program: str) -> str:
    """Which library a program's matrix products come from, such as ``with openblas-serial``; empty where it has none.

    Debian installs the reference implementation, ``blas``, unless asked for another; large cells take several times
    as long with it.
    """
    libraries = subprocess.run(["ldd", str(shutil.which(program))], capture_output=True, text=True).stdout
    found = re.search(r"libblas\S* => (\S+)", libraries)
    return f"with {Path(found[1]).resolve().parent.name}" if found else ""


def machine() -> str:
    """Processor, cores and Python."""
    described = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    model = re.search(r"model name\s*: (.*)", described)
    processor = model[1] if model else platform.processor()
    return f"{os.cpu_count()} cores of {processor}, Python {platform.python_version()}"


def kept(name: str) -> str:
    """The command, what it printed when it ran last, and under what circumstances."""
    return (RESULTS / f"{name}.md").read_text().strip()


def printed(name: str) -> str:
    """What a benchmark printed when it ran last."""
    _, *lines, _ = kept(name).split("\n\n")
    return "\n\n".join(lines)


def with_quotations(document: Path) -> str:
    """The text of a document whose quoted lines are those that are kept, where something is."""
    quote = kept if document == PAGE else printed

    def quotation(found: re.Match[str]) -> str:
        measured = (RESULTS / f"{found[2]}.md").exists()
        return f"{found[1]}\n{quote(found[2])}\n\n{found[3]}" if measured else found[0]

    return QUOTED.sub(quotation, document.read_text())


def main() -> None:
    """Measure and quote; exit code 1 if something could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"default: {' '.join(BENCHMARKS)}")
    parser.add_argument("--quote", action="store_true", help="compute nothing")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}")
    names = [] if arguments.quote else arguments.names or list(BENCHMARKS)
    measured = [measure(name) for name in names]
    for document in QUOTING:
        document.write_text(with_quotations(document))
    sys.exit(not all(measured))


if __name__ == "__main__":
    main()
