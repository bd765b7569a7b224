"""The process that hands the runs of one place in a runs directory to a Dask cluster, as its command line says.

:class:`~mlxc.runs.client.Workers` starts it in the place of a worker of its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mlxc.errors import InputError
from mlxc.runs.client import FIRST, READY
from mlxc.runs.cluster.address import ready_words, scheduler_address
from mlxc.runs.cluster.relay import Relay
from mlxc.runs.line import Line
from mlxc.runs.worker import serve


def main() -> None:
    """Serve the line of the command line, at the place whose open file and name follow."""
    line, place, address = Line(Path(sys.argv[1]), sys.argv[2]), int(sys.argv[3]), scheduler_address()
    assert address is not None, "the variable is inherited"
    os.set_inheritable(place, False)
    relay = Relay(address)
    try:
        relay.client()
        told = READY + ready_words(address)
    except InputError as error:
        told = str(error)
    os.write(place, told.encode())
    serve(line, sys.argv[4] != FIRST, relay.compute)


if __name__ == "__main__":
    main()
