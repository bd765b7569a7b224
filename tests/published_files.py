"""Files of the kinds that authors of networks publish, with initial weights."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from densities import random_ingredients, those_of

from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoints.architectures import build_architecture
from mlxc.xc.published.form import PublishedFunctional


def weights_of(xc: PublishedFunctional) -> list[np.ndarray]:
    """The weights of all layers, in single precision as most authors have them."""
    return [xc.state_dict()[name].numpy().astype("<f4") for name in xc.layer_names()]


def torchscript(members: list[bytes], graph: str = "return x") -> bytes:
    """A zip file as TorchScript makes it; what a program would unpickle is rubbish.

    A ``ZipInfo`` has a fixed date: the same members are the same bytes whenever they are written.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("xc/data.pkl"), b"\x80\x02crubbish")
        archive.writestr(zipfile.ZipInfo("xc/code/__torch__.py"), graph)
        for number, member in enumerate(members):
            compression = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(f"xc/data/{number}"), member, compression)
    return content.getvalue()


def graph_of(name: str) -> str:
    return "torch.tanh(x)" if name.endswith("ueg") else "torch.elu(x)"


def published_file(name: str) -> bytes:
    """A file of the kind of the published ones, with initial weights."""
    return torchscript([w.tobytes() for w in weights_of(build_architecture(name, {}))], graph_of(name))


def published_folder(folder: Path) -> Path:
    """A folder of arrays as pcNN is published, with initial weights; some arrays are stored by columns."""
    folder.mkdir()
    xc = build_architecture("pcnn", {})
    for number, (name, array) in enumerate(zip(xc.layer_names(), weights_of(xc), strict=True)):
        np.save(folder / xc.array_files[name], np.asfortranarray(array) if number % 2 else array, allow_pickle=False)
    return folder


def state_dict_file(name: str) -> bytes:
    """The weights by the names that the authors of HM have for them, as old versions of PyTorch save them."""
    xc, content = build_architecture(name, {}), io.BytesIO()
    names = [layer.replace("network.layer", "fc") for layer in xc.layer_names()]
    weights = {layer: torch.tensor(array) for layer, array in zip(names, weights_of(xc), strict=True)}
    torch.save(weights, content, _use_new_zipfile_serialization=False)
    return content.getvalue()


def assert_same_energies(path: Path, xc: PublishedFunctional) -> None:
    ingredients = those_of(xc, random_ingredients(2))
    rounded = {name: xc.state_dict()[name].float().double() for name in xc.layer_names()}
    xc.load_state_dict(xc.state_dict() | rounded)
    torch.testing.assert_close(functional(str(path))(**ingredients), xc(**ingredients), rtol=1e-13, atol=0)
