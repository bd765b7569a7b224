"""One case in another code: the case from standard input, what the code does to standard output, JSON a line each.

Run as ``python inside.py CODE FOLDER`` by any Python that has the code, so nothing but the standard library is imported
here, and what speaks to the code is in ``inside_CODE.py`` beside this file: a function ``run(case, tell)``, where
``tell`` takes records of SCF steps and of finished volumes, and what is returned becomes the last record.

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

        result = module.run(case, tell_with_time)
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


def _end_with_parent() -> None:
    # Not through sys.stdin, whose lock a thread that waits would still hold when the process ends.
    while os.read(0, 1):
        pass
    shutil.rmtree(sys.argv[2], ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
