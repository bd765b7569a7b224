"""The parser of the command line, which answers mistakes in sentences."""

from __future__ import annotations

import argparse
from typing import NoReturn

from mlxc.errors import InputError


class SentenceParser(argparse.ArgumentParser):
    """A parser whose mistakes are sentences, as all bad input is."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}; '{self.prog} --help' lists what there is.")
