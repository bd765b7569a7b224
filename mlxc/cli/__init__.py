"""The command line, ``mlxc``."""

from mlxc.cli.command_line import main as main
from mlxc.cli.command_line import make_parser as make_parser
