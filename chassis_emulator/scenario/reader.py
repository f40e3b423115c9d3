"""Scenario files: read strictly, an error names the key at fault and what it may be."""

from pathlib import Path
from typing import Any

from chassis_emulator.data import scenarios
from chassis_emulator.errors import EmulatorError
from chassis_emulator.faults.kinds import KINDS
from chassis_emulator.scenario.steps import (
    AnyStep,
    EndFaultsStep,
    FaultStep,
    IdentifyStep,
    InsertStep,
    Name,
    PowerStep,
    PullStep,
    ResetStep,
    Scenario,
    Seconds,
    Step,
)
from chassis_emulator.topology.yaml_text import yaml_document
from media_network.document import Document, DocumentError, below

_ACTIONS: dict[str, type[Step]] = {
    "fault": FaultStep,
    "clear": EndFaultsStep,
    "pull": PullStep,
    "insert": InsertStep,
    "power": PowerStep,
    "reset": ResetStep,
    "identify": IdentifyStep,
}
_OF_FAULT_STEPS = ("at", "action", "kind", "for", "name")


class ScenarioError(DocumentError, EmulatorError):
    """A scenario that cannot be played."""

    hint = "The scenarios in examples/scenarios/ show every key; `chassis-emulator scenario --help` names them."


def find_scenario(name: str) -> Path:
    """The file that a person names: a path, or one of the examples. Raises ScenarioError."""
    path = Path(name)
    if path.exists():
        return path
    known = scenarios()
    if name in known:
        return known[name]
    raise ScenarioError(path, "", f"there is no such file, and no example of that name ({', '.join(known)})")


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises ScenarioError."""
    document = yaml_document(path, "scenario", ScenarioError)
    known = document.mapping(document.load(), ("name", "steps"), "")
    for key, legal in (("name", "the name of the scenario"), ("steps", "a list with at least one entry")):
        if key not in known:
            raise document.wrong(key, f"is missing; it must be {legal}")
    name = document.value(Name, known["name"], "name")
    steps = document.items(known["steps"], "steps", lambda entry, at: _read_step(document, entry, at))
    _refuse_unknown_names(document, steps)
    return Scenario(name=name, steps=tuple(sorted(steps, key=lambda step: step.at)))


def _read_step(document: Document, entry: object, at: str) -> AnyStep:
    if not isinstance(entry, dict):
        raise document.wrong(at, f"must be a mapping with `at` and an `action`: one of {', '.join(_ACTIONS)}")
    kind = document.one_of(_ACTIONS, entry, "action", at)
    if kind is FaultStep:
        return _read_fault(document, entry, at)
    step: AnyStep = document.struct(kind, {key: value for key, value in entry.items() if key != "action"}, at)
    return step


def _read_fault(document: Document, entry: dict[str, Any], at: str) -> FaultStep:
    kind = document.one_of(KINDS, entry, "kind", at)
    document.mapping(entry, (*_OF_FAULT_STEPS, *kind.__struct_fields__), at)
    fault = document.struct(kind, {key: entry[key] for key in entry if key not in _OF_FAULT_STEPS}, at)
    if "at" not in entry:
        raise document.wrong(below(at, "at"), "is missing; it must be seconds, from 0 to 86400")
    return FaultStep(
        at=document.value(Seconds, entry["at"], below(at, "at")),
        fault=fault,
        for_s=document.value(Seconds, entry["for"], below(at, "for")) if "for" in entry else None,
        name=document.value(Name, entry["name"], below(at, "name")) if "name" in entry else "",
    )


def _refuse_unknown_names(document: Document, steps: tuple[AnyStep, ...]) -> None:
    begun: dict[str, float] = {}
    for index, step in enumerate(steps):
        if isinstance(step, FaultStep) and step.name:
            if step.name in begun:
                raise document.wrong(f"steps[{index}].name", f"is {step.name!r}, as that of another fault already is")
            begun[step.name] = step.at
    for index, step in enumerate(steps):
        if isinstance(step, EndFaultsStep) and step.name and begun.get(step.name, float("inf")) > step.at:
            raise document.wrong(f"steps[{index}].name", f"is {step.name!r}, but no fault of that name begins before")
