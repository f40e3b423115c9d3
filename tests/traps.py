"""A real snmptrapd, and what it has written."""

import os
import re
import subprocess

from tests.mib_facts import MIBS, SMI
from tests.patience import wait_until

FORMAT = "TOLD|%P|%b|%v\n"
"""How it was told, by whom, and the objects."""


def parse(text):
    """A notification's name and its objects by name, out of `%v`."""
    bound = dict(part.split(" = ", 1) for part in text.split("\t") if " = " in part)
    values = {re.sub(r"^.*::", "", name): value.strip('"') for name, value in bound.items()}
    values.pop("mib-2.1.3.0")  # sysUpTime
    told = values.pop("snmpModules.1.1.4.1.0")  # snmpTrapOID
    return re.sub(r"^.*::", "", told), values


class Told:
    """One notification as it was received."""

    def __init__(self, line):
        self.how, source, bound = line.removeprefix("TOLD|").split("|", 2)
        self.host = re.search(r"\[([0-9.]+)\]", source).group(1)
        self.name, self.objects = parse(bound)
        self.inform = "INFORM" in self.how

    def __getitem__(self, name):
        """The value of an object, whatever its instance."""
        return next(value for known, value in self.objects.items() if known.partition(".")[0] == name)

    def __repr__(self):
        return f"<{self.how} {self.host} {self.name} {self.objects}>"


class TrapReceiver:
    """Receives at `addresses` on loopback, while the context lasts, as one who has these users (`createUser` lines)."""

    def __init__(self, folder, addresses, users):
        folder.mkdir(exist_ok=True)
        settings = folder / "snmptrapd.conf"
        lines = [*users, "authUser log reader", "authCommunity log heard", "doNotRetainNotificationLogs yes"]
        settings.write_text("".join(f"{line}\n" for line in lines))
        self._output = folder / "told"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *("snmptrapd", "-f", "-Lo", "-n", "-C", "-c", settings, "-M", f"{SMI}:{MIBS}", "-m", "ALL"),
                    *("-ObQ", "-F", FORMAT, *(f"udp:{address}" for address in addresses)),
                ],
                env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "MIBS": "", "LC_ALL": "C.UTF-8"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self):
        self.until(lambda: "NET-SNMP version" in self._output.read_text(errors="replace"))
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def received(self):
        """All that was told so far, in order."""
        # A line that is still being written has no end yet.
        lines = self._output.read_text(errors="replace").split("\n")[:-1]
        return [Told(line) for line in lines if line.startswith("TOLD|")]

    def named(self, name, host=None):
        return [told for told in self.received() if told.name == name and host in {None, told.host}]

    def until(self, happened):
        """Wait until something is so; gives what it is."""
        return wait_until(happened, why=lambda: self._output.read_text(errors="replace")[-6000:], process=self._process)
