"""The directive ``command-line``: what each command of ``mlxc`` takes, from the parser itself."""

from __future__ import annotations

import argparse
from functools import partial

from docutils import nodes
from docutils.parsers.rst import Directive
from mlxc_app import launch
from sphinx.application import Sphinx

from mlxc.cli import make_parser

# Characters that fit into a line, whatever the terminal in which this is built.
WIDTH = 80


class CommandLine(Directive):
    """One section for each command, with what ``mlxc COMMAND --help`` prints."""

    def run(self) -> list[nodes.Node]:
        return [
            section
            for action in make_parser()._actions
            if isinstance(action, argparse._SubParsersAction)
            # The page reads its arguments itself.
            for name, parser in (dict(action.choices) | {"app": launch.make_parser()}).items()
            for section in _sections(f"mlxc {name}", parser)
        ]


def _sections(name: str, parser: argparse.ArgumentParser) -> list[nodes.Node]:
    """Of a command, and of the commands below it."""
    section = nodes.section(ids=[nodes.make_id(name)])
    section += nodes.title("", name)
    parser.formatter_class = partial(argparse.HelpFormatter, width=WIDTH)  # type: ignore[assignment]
    section += nodes.literal_block("", parser.format_help(), language="text")
    below = [
        one
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for word, child in action.choices.items()
        for one in _sections(f"{name} {word}", child)
    ]
    return [section, *below]


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
