"""`python -m chassis_emulator.campaign`."""

from chassis_emulator.campaign.cli import main

main()
