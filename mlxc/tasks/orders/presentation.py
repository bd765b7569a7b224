"""How magnetic orders are told to a person. The same figures as the JSON, with units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlxc.console.record_table import Record, RecordTable
from mlxc.console.text import columns, headline, number, row
from mlxc.crystal.magnetism import NO_MOMENT

# What to do about an order that has not converged, or has become another one.
OTHER_MOMENTS = (
    "The orders that did not converge may need more SCF steps, a larger smearing width or other starting moments: give "
    "the crystal moments of about the size that the others have found."
)


def orders_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc orders`` as a table; ``summary`` is the object that ``--json`` prints."""
    heads = ["order", "cells", "equal ones", "F / meV per atom", "moment per cell", "of atoms", "gap / eV", "steps"]
    rows = [heads, *map(_cells, summary["orders"])]
    lines = [headline(summary["calculation"]), "", *columns(rows), ""]
    lines.append(row("lowest", summary["ground"] or "none of them"))
    lines.append(row("k points of the given cell", " x ".join(map(str, summary["kmesh"]))))
    notes = [f"  {order['name']}: {note}" for order in summary["orders"] if (note := order_note(order))]
    return "\n".join([*lines, *notes])


def _cells(order: Mapping[str, Any]) -> list[str]:
    return [
        order["name"],
        str(order["cells"]),
        str(order["multiplicity"]),
        figure(order["relative_mev_per_atom"], 2),
        figure(order["magnetisation_bohr_magneton"], 3),
        mean_moments(order) or "-",
        figure(order["gap_ev"], 3),
        str(order["iterations"]),
    ]


def figure(value: float | None, digits: int) -> str:
    """A number, or a dash where there is none; what rounds to zero has no sign."""
    return number(None if value is None else round(value, digits) + 0.0, f".{digits}f")


def mean_moments(order: Mapping[str, Any]) -> str:
    """The mean size of the moments of each magnetic element, such as ``Mn 4.52``; empty without spin."""
    moments = order["mean_moments_bohr_magneton"] or {}
    return ", ".join(f"{symbol} {moment:.2f}" for symbol, moment in moments.items())


def order_note(order: Mapping[str, Any]) -> str:
    """What there is to say of an order that did not converge or did not stay what it was; else empty."""
    if not order["converged"]:
        return str(order["message"])
    if order["became"] == "non-magnetic":
        return f"Became non-magnetic: no moment is above {NO_MOMENT:g} Bohr magneton."
    return f"Became {order['became']}." if order["became"] else ""


def orders_sentence(summary: Mapping[str, Any]) -> str:
    """What came out, in one sentence."""
    return f"{len(summary['orders'])} orders computed in {summary['seconds']:.1f} s: {ground_in_words(summary)}."


def ground_in_words(summary: Mapping[str, Any]) -> str:
    """Which order is lowest, and how far below the next one it is."""
    if summary["ground"] is None:
        return "none of them is to be relied on"
    others = [order for order in summary["orders"] if order["name"] != summary["ground"] and not order_note(order)]
    words = f"{summary['ground']} has the lowest energy"
    if not others:
        return words
    following = min(others, key=lambda order: order["relative_mev_per_atom"])
    return f"{words}, {following['relative_mev_per_atom']:.1f} meV per atom below {following['name']}"


def orders_outcome(summary: Mapping[str, Any]) -> str:
    """The order of lowest energy; empty as long as it is not known."""
    return str(summary.get("ground") or "")


def advice_about_moments(records: Sequence[Record]) -> str:
    """What to do about orders that have not converged; empty as long as no order has come to its end."""
    return OTHER_MOMENTS if any(record["kind"] == "order" for record in records) else ""


def _order_line(order: Mapping[str, Any]) -> str:
    energy = f"F = {order['free_energy_per_atom_ha']:.8f} Ha per atom"
    words = f"order {order['index'] + 1} of {order['orders']}: {order['name']}, {energy}"
    note = order_note(order)
    return f"{words}; {note}" if note else words


ORDERS = RecordTable("orders", "one row per magnetic order", _order_line, stays=True)
