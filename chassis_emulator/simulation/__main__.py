"""`python -m chassis_emulator.simulation`."""

from chassis_emulator.simulation.cli import main

main()
