"""The commands that every management controller answers."""

from typing import Final

from blade_agent.cbc.commands.answer import CommandModule
from blade_agent.cbc.commands.device import DEVICE_COMMANDS
from blade_agent.cbc.commands.event_log import EVENT_LOG_COMMANDS
from blade_agent.cbc.commands.fru import FRU_COMMANDS
from blade_agent.cbc.commands.record import RECORD_COMMANDS
from blade_agent.cbc.commands.sensor import SENSOR_COMMANDS
from blade_agent.cbc.management_controller import ManagementController

MANAGEMENT_COMMANDS: Final[tuple[CommandModule[ManagementController], ...]] = (
    DEVICE_COMMANDS,
    SENSOR_COMMANDS,
    RECORD_COMMANDS,
    EVENT_LOG_COMMANDS,
    FRU_COMMANDS,
)
