"""What the page's events tell, put together as the page does it."""


class Told:
    """Components by name, alarms by number."""

    def __init__(self):
        self.components, self.alarms = {}, {}

    def take(self, event, change):
        """`network` tells all there is, `changes` what is another."""
        if event == "network":
            self.components, self.alarms = {}, {}
        _take(self.components, change["components"], "component", change["gone"])
        _take(self.alarms, change["alarms"], "number", change["cleared"])

    def alarm_list(self):
        return [self.alarms[number] for number in sorted(self.alarms)]


def _take(known, changes, key, gone):
    for name in gone:
        known.pop(name, None)
    for fields in changes:
        known[fields[key]] = known.get(fields[key], {}) | fields
