"""Weights out of the files that authors have published, byte by byte: nothing in a file is run or unpickled.

Arrays of numpy (``.npy``) hold a header and the numbers; a TorchScript file is a zip in which ``data/0``, ``data/1``,
... are the bytes of the weights in the order of the layers. A ``state_dict`` is read as any other one, see
:mod:`mlxc.xc.checkpoints.convert`.
"""

from __future__ import annotations

import re
import zlib
from lzma import LZMAError
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.errors import InputError
from mlxc.xc.checkpoints.record import LARGEST_FILE
from mlxc.xc.published.form import PublishedFunctional

ZIP = b"PK\x03\x04"
# Little-endian numbers by the bytes that one takes.
NUMBERS: dict[int, np.dtype[np.floating]] = {4: np.dtype("<f4"), 8: np.dtype("<f8")}
LARGEST_GRAPH = 2**22
# The beginning of a ``.npy`` file as numpy writes it, of versions 1 and 2 of the format: what the numbers are, whether
# they are stored by columns, and the shape. It is matched rather than evaluated.
ARRAY = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|\x02\x00....)"
    rb"\{'descr': '([ -&(-~]{1,20})', 'fortran_order': (True|False), 'shape': \((\d{1,9}(?:, \d{1,9})*,?)\), \} *\n",
    re.DOTALL,
)
# What reading a zip file that somebody has altered may end in.
DAMAGED_ZIP = (BadZipFile, NotImplementedError, RuntimeError, EOFError, UnicodeDecodeError, zlib.error, LZMAError)


def read_original(source: Path, functional: PublishedFunctional) -> dict[str, Tensor] | None:
    """The weights in a folder of arrays, or in a TorchScript file, by the names that they have in a functional.

    Args:
        source: The folder or the file.
        functional: A functional of the form that the weights are for.

    Returns:
        None for a file that is neither.

    Raises:
        InputError: the file is damaged or of another form, with one sentence.
    """
    shapes = {name: tuple(functional.state_dict()[name].shape) for name in functional.layer_names()}
    try:
        if source.is_dir():
            return _from_folder(source, functional, shapes)
        if _is_zip(source):
            with ZipFile(source) as archive:
                return _from_torchscript(source, archive, functional, shapes)
    except OSError as error:
        raise refused(source, f"cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except DAMAGED_ZIP:
        raise refused(source, "is a damaged or encrypted zip file; nothing of it was run.") from None
    return None


def with_numbered_layers(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights, where ``fc1``, ``lin1`` and the like are called ``network.layer1``."""
    return {re.sub(r"^(fc|lin)(?=\d+\.)", "network.layer", name): value for name, value in weights.items()}


def refused(source: Path, reason: str) -> InputError:
    """An error that says why a file is not taken."""
    return InputError(f"{str(source)!r} {reason}")


def _is_zip(source: Path) -> bool:
    with source.open("rb") as file:
        if source.stat().st_size > LARGEST_FILE:
            raise refused(source, f"is larger than {LARGEST_FILE >> 20} MiB.")
        return file.read(len(ZIP)) == ZIP


def _from_folder(
    folder: Path, functional: PublishedFunctional, shapes: dict[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    if not functional.array_files:
        raise refused(folder, f"is a folder, and {functional.architecture} is published in one file.")
    return {name: _tensor(_array(folder / file, shapes[name])) for name, file in functional.array_files.items()}


def _array(path: Path, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """The numbers in a ``.npy`` file of this shape."""
    if path.stat().st_size > LARGEST_FILE:
        raise refused(path, f"is larger than {LARGEST_FILE >> 20} MiB.")
    content = path.read_bytes()
    header = ARRAY.match(content)
    if header is None:
        raise refused(path, "is no array of numpy, or its header is damaged.")
    kind, order, sizes = (part.decode("ascii") for part in header.groups())
    numbers = next((numbers for numbers in NUMBERS.values() if numbers.str == kind), None)
    if numbers is None:
        raise refused(path, f"holds numbers of the kind {kind!r}, not of 4 or 8 bytes.")
    if sizes.rstrip(",") != ", ".join(map(str, shape)):
        raise refused(path, f"holds an array of the shape ({sizes}), not {shape}.")
    found = content[header.end() :]
    if len(found) != numbers.itemsize * int(np.prod(shape)):
        raise refused(path, f"holds {len(found)} bytes of numbers, which are not those of its header.")
    return np.frombuffer(found, numbers).reshape(shape, order="F" if order == "True" else "C")


def _from_torchscript(
    source: Path, archive: ZipFile, functional: PublishedFunctional, shapes: dict[str, tuple[int, ...]]
) -> dict[str, Tensor] | None:
    graph = [name for name in archive.namelist() if re.fullmatch(r"[^/]+/code/.+\.py", name)]
    if not graph:
        return None
    members = {int(found[1]): name for name in archive.namelist() if (found := re.fullmatch(r"[^/]+/data/(\d+)", name))}
    if sorted(members) != list(range(len(shapes))):
        raise refused(
            source, f"has {len(members)} arrays of weights, where {functional.architecture} has {len(shapes)}."
        )
    if functional.graph_has_tanh is not None and functional.graph_has_tanh != _has_tanh(source, archive, graph):
        raise refused(source, f"has weights of the right shapes, but another graph than {functional.architecture}.")
    return {
        name: _tensor(_member(source, archive, members[number], shape))
        for number, (name, shape) in enumerate(shapes.items())
    }


def _has_tanh(source: Path, archive: ZipFile, graph: list[str]) -> bool:
    if sum(archive.getinfo(name).file_size for name in graph) > LARGEST_GRAPH:
        raise refused(source, f"has a graph of more than {LARGEST_GRAPH >> 20} MiB.")
    return any(b"tanh" in archive.read(name) for name in graph)


def _member(source: Path, archive: ZipFile, member: str, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """The numbers in a member of a zip file, whose size tells how many bytes each takes."""
    size, count = archive.getinfo(member).file_size, int(np.prod(shape))
    width = size // count
    if width not in NUMBERS or size != width * count:
        raise refused(source, f"has {size} bytes in {member!r}, not the {count} numbers of an array {shape}.")
    return np.frombuffer(archive.read(member), NUMBERS[width]).reshape(shape)


def _tensor(array: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(array.astype(np.float64))
