"""The commands ``mlxc checkpoint show | verify | convert | export | fetch | list``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlxc.errors import InputError

Command = Callable[[argparse.Namespace, list[str]], int]


def add_checkpoint_commands(parser: argparse.ArgumentParser, kind: type[argparse.ArgumentParser]) -> None:
    """Add the six commands to ``mlxc checkpoint``; ``kind`` is the class of their parsers."""
    commands = parser.add_subparsers(
        title="commands", required=True, dest="action", metavar="action", parser_class=kind
    )

    def add(name: str, command: Command, purpose: str) -> argparse.ArgumentParser:
        action = commands.add_parser(name, help=purpose, allow_abbrev=False)
        action.set_defaults(command=command)
        return action

    action = add("show", _show, "what a checkpoint says of itself, and what is known of a functional")
    action.add_argument("checkpoint", help="a file, or the name of a checkpoint or of another functional with a card")
    _add_json(action)

    action = add("verify", _verify, "check the exact conditions of density-functional theory")
    action.add_argument("functional", help="a checkpoint, or any functional that --xc takes")
    action.add_argument("--plot", type=Path, metavar="FILE", help="draw F_xc(s) and the conditions into a picture")
    _add_json(action)

    action = add("convert", _convert, "make a checkpoint of the weights in a PyTorch or DeepChem file")
    action.add_argument("source", type=Path, help="state_dict saved by torch, safetensors, or as published by authors")
    action.add_argument("target", type=Path, help="checkpoint to write")
    action.add_argument("--architecture", required=True, metavar="NAME", help="form of the functional")
    action.add_argument("--config", default="{}", metavar="JSON", help="its settings, such as '{\"hidden\": [16, 16]}'")
    for field in ("name", "description", "baseline", "training_data", "licence"):
        action.add_argument(f"--{field.replace('_', '-')}", metavar="TEXT", help=f"{field.replace('_', ' ')}, recorded")

    action = add("export", _export, "write a functional as an ONNX file, which other codes read without mlxc")
    action.add_argument("functional", help="a checkpoint, or any functional that is made of operations of torch")
    action.add_argument("target", type=Path, help="the file to write; it gives the energy and its first derivatives")

    action = add("fetch", _fetch, "download a published network that does not come with mlxc, and convert it")
    action.add_argument("name", help="its name; 'mlxc checkpoint list' tells which there are")

    _add_json(add("list", _list, "the checkpoints that come with mlxc, and those that can be fetched"))


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object to standard output")


def _show(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.console.checkpoint_report import card_report, checkpoint_report
    from mlxc.xc.catalogue import card_of
    from mlxc.xc.checkpoints.files import checkpoint_path
    from mlxc.xc.checkpoints.record import read_record

    card = card_of(options.checkpoint)
    known = None if card is None else card.to_dict()
    path = checkpoint_path(options.checkpoint)
    if path is None and known is not None:
        record, report = {"name": options.checkpoint}, f"{options.checkpoint}: {known['summary']}"
    else:
        record = read_record(path or Path(options.checkpoint)).model_dump(mode="json")
        report = checkpoint_report(record)
    told = report if known is None else f"{report}\n\n{card_report(known)}"
    print(json.dumps(record | {"card": known}, indent=1) if options.json else told)
    return 0


def _verify(options: argparse.Namespace, _: list[str]) -> int:
    from dataclasses import asdict

    from mlxc.console.checkpoint_report import checkpoint_report
    from mlxc.xc.analysis.constraints import check_constraints, constraints_report
    from mlxc.xc.analysis.enhancement_curves import enhancement_curves, plot_report
    from mlxc.xc.catalogue import functional
    from mlxc.xc.checkpoints.files import checkpoint_of

    module = functional(options.functional)
    found = checkpoint_of(options.functional)
    record = None if found is None else found.model_dump(mode="json")
    results = check_constraints(module)
    curves = enhancement_curves(module)
    if options.plot is not None:
        plot_report(options.functional, curves, results, options.plot)
    if options.json:
        answers = {"constraints": [asdict(result) for result in results], "curves": [asdict(curve) for curve in curves]}
        print(json.dumps({"record": record} | answers, indent=1))
    else:
        heading = options.functional if record is None else checkpoint_report(record)
        print(f"{heading}\n\n{constraints_report(results)}")
    return 0


def _convert(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.console.checkpoint_report import checkpoint_report
    from mlxc.xc.checkpoints.convert import convert_checkpoint

    try:
        config: Any = json.loads(options.config)
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise InputError(f"--config: {options.config!r} is not a JSON object.")
    given = {name: getattr(options, name) for name in ("name", "description", "baseline", "training_data", "licence")}
    fields = {name: value for name, value in given.items() if value is not None}
    record = convert_checkpoint(options.source, options.target, options.architecture, config, **fields)
    print(checkpoint_report(record.model_dump(mode="json")))
    return 0


def _export(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.adapters.onnx import INPUTS, export_functional
    from mlxc.xc.catalogue import functional
    from mlxc.xc.functional import declared_ingredients

    module = functional(options.functional)
    try:
        export_functional(module, options.target)
    except OSError as error:
        raise InputError(f"{str(options.target)!r} cannot be written: {error}.") from None
    names = [INPUTS[name] for name in declared_ingredients(module)]
    outputs = ["zk", *(f"v{name}" for name in names)]
    print(f"{options.target}: {', '.join(outputs)} of {', '.join(names)}, arranged as by libxc for two spins.")
    return 0


def _fetch(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.console.checkpoint_report import checkpoint_report
    from mlxc.xc.checkpoints.record import read_record
    from mlxc.xc.published.fetch import fetch_checkpoint

    path = fetch_checkpoint(options.name)
    print(f"{checkpoint_report(read_record(path).model_dump(mode='json'))}\n\nWritten to {path}")
    return 0


def _list(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.xc.checkpoints.files import named_checkpoints, to_be_fetched
    from mlxc.xc.checkpoints.record import read_record
    from mlxc.xc.published.cards import CARDS

    described = {name: read_record(path).description for name, path in named_checkpoints().items()}
    lines = [f"  {name:24}{description}" for name, description in described.items()]
    if absent := to_be_fetched():
        lines += ["", "Brought by 'mlxc checkpoint fetch NAME', since their authors state no licence:"]
        lines += [f"  {name:24}{CARDS[name].summary}" for name in absent]
    print(json.dumps(described, indent=1) if options.json else "\n".join(lines))
    return 0
