"""Users generated for a network: made once, kept in its state folder, told to the parts that let them in."""

import random

from blade_agent.chassis_manager.lan.users import User, generated_administrator
from chassis_emulator.state_folder import StateFolder


def ipmi_administrator(folder: StateFolder) -> User:
    """The one whom every chassis manager of the network lets in. Raises StateFolderError."""
    users = folder.read_credentials()
    if "ipmi" not in users:
        made = generated_administrator(random.SystemRandom())
        users["ipmi"] = {"user": made.name, "password": made.password}
        folder.write_credentials(users)
    known = users["ipmi"]
    return User(name=known["user"], password=known["password"], privilege="administrator")
