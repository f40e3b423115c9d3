"""Objects that every agent of ours has, whatever it answers for: system, alarms, the notification log, the engine."""
