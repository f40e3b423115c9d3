"""The kinds of faults as the panel offers them, and those that are on as it shows them."""

from chassis_emulator.faults.kinds import KINDS, Fault, Victim, kind_of, summary_of
from chassis_emulator.faults.parameters import parameters_of
from chassis_emulator.panel.model import FaultKind, FaultParameter, FaultTarget, InjectedFault

_TARGETS = {
    Victim.BLADE: FaultTarget.BLADE,
    Victim.PROCESS: FaultTarget.BLADE,
    Victim.SUPPLY: FaultTarget.SUPPLY,
    Victim.CHASSIS: FaultTarget.CHASSIS,
    Victim.CHANNEL: FaultTarget.BLADE,
}
"""The panel offers what befalls a process, or an I/O channel, at its blade."""


def fault_kinds() -> tuple[FaultKind, ...]:
    """Every kind of fault."""
    return tuple(
        FaultKind(
            kind=name,
            text=name.replace("-", " ").capitalize(),
            target=_TARGETS[kind.befalls],
            cuts_viewers_off=kind.cuts_viewers_off,
            parameters=tuple(
                FaultParameter(
                    name=parameter.name,
                    text=parameter.text,
                    default=float(parameter.default),
                    lowest=parameter.lowest,
                    highest=parameter.highest,
                    unit=parameter.unit,
                )
                for parameter in parameters_of(kind)
            ),
        )
        for name, kind in KINDS.items()
    )


def injected(fault_id: str, fault: Fault) -> InjectedFault:
    """Show a fault that is on."""
    numbers = "".join(
        f", {parameter.text} {getattr(fault, parameter.name)} {parameter.unit}".rstrip()
        for parameter in parameters_of(type(fault))
    )
    return InjectedFault(
        fault=fault_id,
        kind=kind_of(fault),
        target=fault.target,
        text=f"{summary_of(type(fault)).partition('.')[0]}{numbers}",
    )
