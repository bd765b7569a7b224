"""Where the published networks come from, and under which licence. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PublishedSource:
    """The files of a published network.

    Attributes:
        repository: The address of the public repository, on GitHub.
        commit: The commit that the files are of.
        files: SHA-256 of each file by its path in the repository.
        licence: The licence, and who holds it; empty where the authors state none.
        licence_file: The file in ``assets/checkpoints/licences`` that has the text.
        baseline: The conventional functional underneath.
    """

    repository: str
    commit: str
    files: dict[str, str] = field(repr=False)
    licence: str = ""
    licence_file: str = ""
    baseline: str | None = None

    @property
    def may_be_passed_on(self) -> bool:
        """Whether the licence allows that the weights come with mlxc."""
        return bool(self.licence)

    def address(self, file: str) -> str:
        """Where a file can be downloaded."""
        return f"{self.repository.replace('github.com', 'raw.githubusercontent.com')}/{self.commit}/{file}"


_NN_FUNCTIONAL = ("https://github.com/ml-electron-project/NNfunctional", "3f4a97998747dc14a9296a88d16572601621efab")
_MIT = "MIT, Copyright (c) 2019 (R. Nagai, R. Akashi, O. Sugino)"
_KANUNGO = ("https://github.com/bikashkanungo/mlxc", "ac90b2bbfe58489be3d29d1b2fea430292471eb6")


def _hm(file: str, sha256: str) -> PublishedSource:
    return PublishedSource(*_NN_FUNCTIONAL, {file: sha256}, _MIT, "MIT-NNfunctional.txt")


def _kanungo(file: str, sha256: str, baseline: str) -> PublishedSource:
    return PublishedSource(*_KANUNGO, {file: sha256}, baseline=baseline)


SOURCES = {
    "pcnn": PublishedSource(
        "https://github.com/ml-electron-project/pcNN_mol",
        "ea2ac556363162d4f10f6b81b49c99dc25919954",
        {
            "pcNN/w1.npy": "0bbdab958b291a63bcdeca57d3bbca3e53eea31028865066554e07b5865f676c",
            "pcNN/b1.npy": "439cfd9aff4bf7f6590ccda881224e5b223213a6594c6030cda4c3032f15cacc",
            "pcNN/w2.npy": "b404f8b008cc92ebfc211218d0398fe5c2c14237fb5c543aaeb83a56b706cabf",
            "pcNN/b2.npy": "29545d90d1e285a129631e8f3560ac4d69b488fb83fe08a787f60fa60e1e3d89",
            "pcNN/w3.npy": "f284b15f2132acbec25d51f22894a6bccd8ce50c65f2feff79d38c6a652eeb67",
            "pcNN/b3.npy": "949ab7104bf3e2551826c5a556806165439c255e413eceb5d512de228e966b6a",
            "pcNN/w4.npy": "83968d3d82dc1536be4823f3c1b1bc9b758724e6abd583c29ca00261b78382f1",
            "pcNN/b4.npy": "69e1ae417f2e3d3d949fad354260f37da0fc71d03c42779c4263f5bcdfa32694",
            "pcNN/w1c.npy": "b05f601f1143cc81c51d787589296292424e3d5d99df36361e249d4c9dd383bd",
            "pcNN/b1c.npy": "2f20b7b0ee34621ada0544a01c5f088102f9d3073ba8a34415ad4de97e72acfb",
            "pcNN/w2c.npy": "56b088b7144c077124d2d8abb82218f0b297e398ee6556760c4ce3eaf716233e",
            "pcNN/b2c.npy": "61f7295b01dd123efaeaf5297c284f3543120788c64a899a73f882961a7ca5f5",
            "pcNN/w3c.npy": "ec6a01255857bdf2cd02ce53c72e9228352c176f16e923e42266f0072ab1d847",
            "pcNN/b3c.npy": "b16bab584506d7f4102f27d137f61c2ce4b0295c1def560b18626fd6fb279708",
            "pcNN/w4c.npy": "43b71e4d90c3b2439ccd50a1303eb6ec36bf1f74595ab7cad4af742acb51f9f6",
            "pcNN/b4c.npy": "8fe04389ff9f89cd8ce179b7af6a0c7e51561b571533a4c04b9fd8850ff80f10",
        },
        "Apache-2.0, Copyright 2021 Ryo Nagai",
        "Apache-2.0-pcNN.txt",
        baseline="scan",
    ),
    "xcdiff": PublishedSource(
        "https://github.com/semodi/libnxc",
        "a852cc4bc7a78e84e2b80c29a54e5d5acfd0b010",
        {"models/MGGA_XC_XCDIFF/xc": "aaefdad9db9d1577b0f5e7ee13f45d66d66cb03431b7e58137b183febcee5b98"},
        "MPL-2.0, S. Dick",
        "MPL-2.0-libnxc.txt",
        baseline="lda",
    ),
    "hm-lda": _hm("NNLSDA", "c41f35233da0c2d96d28b7edc6951f30d6dc4658b137b906517130213c26c7ef"),
    "hm-gga": _hm("NNGGA", "dd40b6e027adcbd8985463d42e1e5bc073f92218fcf996655f40ac3ef698f158"),
    "hm-mgga": _hm("NNmGGA", "5697d150434c33a67691983545ae7622ad7de07fd65d273edf0df01a66a89401"),
    "kanungo-nnlda": _kanungo("NNLDA.ptc", "cbd4fa8f47a9e675faa78b386bffc71da9e4f2b6bda0bd019ecb5383d43288a1", "lda"),
    "kanungo-nngga": _kanungo("NNGGA.ptc", "a477e408454ed93cf5777606158019442278ce8879fdec22c7703a6992adfc0d", "pbe"),
    "kanungo-nngga-ueg": _kanungo(
        "NNGGA_UEG.ptc", "e7a0ab950b49a06d794bb033010ff4886783b2f16e269bf6b0737d8ad82003c8", "pbe"
    ),
}
