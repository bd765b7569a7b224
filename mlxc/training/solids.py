"""The former name of :mod:`mlxc.solids.table`, which scripts may import."""

from mlxc.solids.table import SOL58LC as SOL58LC
from mlxc.solids.table import Solid as Solid
from mlxc.solids.table import prototype as prototype
from mlxc.solids.table import read_solids as read_solids
