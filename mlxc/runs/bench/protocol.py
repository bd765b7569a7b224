"""How the bench and those who ask it speak: one JSON object a line, through a socket in the runs directory.

Who asks numbers its requests, and says in which slot of its own each belongs; a newer one takes the place of an older
one in the same slot, which is answered no further.

============  =====================================================================================================
``about``     the solids, their kinds, measured values and settings, and the hash of the library
``screen``    ``functional``, with ``parameters``, or with a ``move`` (:class:`~mlxc.frozen.moved.move.Move`) and the
              ``place`` on its line: rows as they come, :class:`~mlxc.frozen.screening_row.ScreeningRow`, at
              the end statistics, the functional's hash and its F_xc(s); with ``uncertainty``, of one that carries an
              ensemble, then all rows with standard deviations, and their ``calibration``
``resolve``   ``functional`` as above, ``solid``, ``quantity``: both equations of state, and which densities make
              the quantity
``report``    ``functionals``, what each is called, by its name, and ``confirmed``, what self-consistent runs have
              found: a table of them in files, base64
``movable``   ``functional``: its weights, and how many members and directions its ensemble has, see
              :func:`~mlxc.frozen.moved.line.movable`
``examine``   ``functional``: nothing if a checkpoint can be loaded and asked, else why it cannot
``nothing``   the slot is given up
============  =====================================================================================================

What is asked with ``can_wait`` is answered only while nothing else is wanted. The bench speaks first, and says its
version. Each answer repeats ``slot`` and ``number`` and has ``last``, whether it is the last one; a sentence in
``error`` says why there is no other. Nothing here imports torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlxc.runs.code import code_name
from mlxc.runs.folder import runs_directory

# A folder of the runs directory, in which each code has its own. There are a link to the socket, whose own path
# must be short, what the process holds while it lives, and what it says.
FOLDER = "bench"
SOCKET, LOCK, LOG = "socket", "lock", "log"
# The longest line: a report with a picture.
LONGEST_LINE = 2**24
GIVE_UP = "nothing"


def bench_file(name: str) -> Path:
    """The path of one of the files of the bench that has the code of this process, see
    :func:`~mlxc.runs.code.code_name`.
    """
    return runs_directory() / FOLDER / code_name() / name


def line_of(message: dict[str, Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps(message).encode() + b"\n"
