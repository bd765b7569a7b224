"""One case in another code: the case from standard input, what the code does to standard output, JSON a line each.

Run as ``python inside.py CODE FOLDER`` by any Python that has the code, so nothing but the standard library is imported
here, and what speaks to the code is in ``inside_CODE.py`` beside this file: its ``VERSION``, and a generator
``volumes(case, tell)`` that computes one volume of the case after the other. It tells a record of each SCF step, and
yields of each volume the free energy, hartree, whether it converged, the number of its steps, and a function that gives
what else is known as plain data. What is known of all volumes becomes the last record.

The process ends itself when its standard input is closed, so it never outlives the one that started it; then it also
removes its FOLDER of temporary files, which nobody else will.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Serve one case."""
    # Whatever the code prints is not a record.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # This folder is no place to find packages in.
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    case = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(record: dict[str, Any]) -> None:
        channel.write(json.dumps(record) + "\n")
        channel.flush()

    try:
        module = _load(sys.argv[1])
        started = time.perf_counter()

        def tell_with_time(record: dict[str, Any]) -> None:
            tell({**record, "seconds": time.perf_counter() - started})

        result = _all_volumes(module, case, tell_with_time)
        tell({"kind": "result", **result, "seconds": time.perf_counter() - started})
    except Exception as error:
        said = " ".join(str(error).split())
        tell({"kind": "failure", "message": f"{type(error).__name__}: {said}" if said else type(error).__name__})


def _load(code: str) -> Any:
    specification = importlib.util.spec_from_file_location(f"inside_{code}", HERE / f"inside_{code}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _all_volumes(code: Any, case: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """What a code finds for the volumes of a case, of which the ``reference`` is told in full."""
    energies, converged, steps, reference = [], [], 0, {}
    for index, (energy, has_converged, taken, state) in enumerate(code.volumes(case, tell)):
        energies.append(energy)
        converged.append(has_converged)
        steps += taken
        tell({"kind": "point", "index": index, "free_energy_ha": energy, "converged": has_converged})
        if index == case["reference"]:
            reference = state()
    return {"version": code.VERSION, "energies_ha": energies, "converged": converged, "iterations": steps, **reference}


def _end_with_parent() -> None:
    # Not through sys.stdin, whose lock a thread that waits would still hold when the process ends.
    while os.read(0, 1):
        pass
    shutil.rmtree(sys.argv[2], ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
