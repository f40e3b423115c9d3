"""`python -m chassis_emulator.simulation`."""

from media_network.interrupting import ending_silently

with ending_silently():
    from chassis_emulator.simulation.cli import main

main()
