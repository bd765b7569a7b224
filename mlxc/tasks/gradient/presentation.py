"""How a gradient is told to a person. The same figures as the JSON, with units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxc.console.record_table import RecordTable, ResultTable
from mlxc.console.text import headline, row


def gradient_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc gradient``; ``summary`` is the object that ``--json`` prints."""
    lines = [headline(summary["calculation"]), ""]
    if summary["target"] is not None:
        lines.append(row("target", f"{summary['target']:.6g} {summary['quantity_unit']} ({summary['target_source']})"))
    for stage in ("before", "after"):
        found = summary[stage]
        if found is None or found["loss"] is None:
            continue
        when = "" if summary["after"] is None else f", {stage} the step"
        lines.append(row(f"loss{when}", f"{found['loss']:.8g} {summary['loss_unit']}"))
        lines.append(row("  of", f"{summary['quantity']}, {found['quantity']:.6f} {summary['quantity_unit']}"))
        for name, value in found["single_parameters"].items():
            lines.append(row(f"  {name}", f"{value:.6f}"))
    if summary["gradient_norm"] is not None:
        lines += ["", *_gradient_rows(summary)]
    return "\n".join(lines)


def _gradient_rows(summary: dict[str, Any]) -> list[str]:
    lines = [row("norm of the gradient", f"{summary['gradient_norm']:.6g}")]
    lines += [row(f"  of {layer}", f"{norm:.6g}") for layer, norm in summary["layers"].items()]
    for name, parameter in summary["parameters"].items():
        if parameter["gradient"] is not None:
            lines.append(row(f"dL/d({name})", f"{parameter['gradient']:.8g}"))
    lines.append(row("per factor of E_xc", f"{summary['pull']['integral']:.8g} {summary['loss_unit']}"))
    if adjoint := summary["adjoint"]:
        lines.append(row("adjoint", f"{len(adjoint)} steps, residual {adjoint[-1]['residual']:.1e}"))
    if norms := summary["density_gradient_norms"]:
        lines.append(row("|dL/dn| by SCF step", "  ".join(f"{norm:.1e}" for norm in norms)))
    seconds = summary["seconds"]
    return [*lines, row("time", f"{seconds['scf']:.2f} s SCF, {seconds['gradient']:.2f} s gradient")]


def gradient_sentence(summary: Mapping[str, Any]) -> str:
    """What came out, in a few words and sentences."""
    return f"differentiated. {gradient_in_words(summary)}"


def gradient_outcome(summary: Mapping[str, Any]) -> str:
    """The norm of the gradient; empty as long as there is none."""
    return "" if summary.get("gradient_norm") is None else f"|dL/dθ| = {summary['gradient_norm']:.3g}"


def gradient_in_words(result: Mapping[str, Any]) -> str:
    """What a gradient and a step along it came to."""
    if result["gradient_norm"] is None:
        return f"There is no gradient. {result['message']}"
    unit, before, after = _unit(result["loss_unit"]), result["before"], result["after"]
    sentence = f"{_quantity(result, before)}; |dL/dθ| = {result['gradient_norm']:.3g} {unit} over all parameters θ."
    if after is None:
        return sentence
    if after["loss"] is None:
        return f"{sentence} {result['message']}"
    change = after["loss"] - before["loss"]
    way = "fell" if change < 0 else "rose" if change > 0 else "stayed"
    advice = " A shorter step may do better." if change > 0 else ""
    return (
        f"After one step of {100 * result['step']:g} % the loss {way} from {_signed(before['loss'])} to "
        f"{_signed(after['loss'])} {unit}, and the {_name(result)} went from {_signed(before['quantity'])} to "
        f"{_signed(after['quantity'])} {_unit(result['quantity_unit'])}{_target(result)}.{advice}"
    )


def _quantity(result: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    quantity = f"The {_name(result)} is {_signed(before['quantity'])} {_unit(result['quantity_unit'])}"
    if result["target"] is None:
        return f"{quantity}, which is the loss L"
    return f"{quantity}{_target(result)}: the loss is L = {before['loss']:.4g} {_unit(result['loss_unit'])}"


def _name(result: Mapping[str, Any]) -> str:
    name: str = result["quantity"]
    return name.replace(" - ", " − ").replace("a0", "a₀")


def _target(result: Mapping[str, Any]) -> str:
    if result["target"] is None:
        return ""
    source = result["target_source"]
    # The source may be a sentence of its own.
    origin = "" if source in (None, "given") else f", {source.rstrip('.')}"
    return f" (target {_signed(result['target'])}{origin})"


def _signed(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _unit(unit: str) -> str:
    """A unit as a person writes it."""
    return unit.replace("Bohr magneton", "μB").replace("percent", "%").replace("ang", "Å").replace("^2", "²")


def _adjoint_in_words(step: Mapping[str, Any]) -> tuple[str, None]:
    return f"Gradient: step {step['iteration']}, residual {step['residual']:.1e}", None


def _parameter_rows(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The single numbers that there are of each parameter, or array of parameters."""
    moved = (summary.get("after") or {}).get("single_parameters", {})
    return [
        {"parameter": name, **found, "value_after_step": moved.get(name)}
        for name, found in (summary.get("parameters") or {}).items()
    ]


def _layer_rows(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"layer": name, "gradient_norm": norm} for name, norm in (summary.get("layers") or {}).items()]


PARAMETERS = ResultTable(
    "parameters", "one row per parameter, or array of parameters, with the gradient by it", _parameter_rows
)
LAYERS = ResultTable("layers", "one row per layer of the functional, with the norm of the gradient", _layer_rows)
LOSS_VALUES = RecordTable(
    "losses", "the loss before the step along its gradient, and after it", "loss {stage}: {value:.8g} {unit}".format_map
)
ADJOINT_STEPS = RecordTable(
    "adjoint_steps",
    "one row per step of the solution of Dyson's equation",
    "adjoint {iteration:>2}  residual {residual:.2e}  {seconds:.2f} s".format_map,
    doing=_adjoint_in_words,
)
DENSITY_GRADIENTS = RecordTable(
    "density_gradients",
    "the size of the gradient at each step of the SCF, the last one first",
    "step {step:>3}  |dL/dn| {norm:.3e}".format_map,
)
