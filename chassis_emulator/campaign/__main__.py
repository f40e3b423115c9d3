"""`python -m chassis_emulator.campaign`."""

from media_network.interrupting import ending_silently

with ending_silently():
    from chassis_emulator.campaign.cli import main

main()
