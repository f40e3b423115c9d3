"""Trees of sysfs as boards have them: the names, links and numbers that their drivers make, under a folder."""

import os

import pytest


class Tree:
    """A root path with files in it."""

    def __init__(self, root):
        self.root = root

    def put(self, path, content):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())
        return target

    def hwmon(self, number, device, name, **attributes):
        """A chip as sysfs has it: the folder is under its device, the class holds a link to it."""
        folder = f"sys/devices/{device}/hwmon/hwmon{number}"
        self.put(f"{folder}/name", name)
        for attribute, content in attributes.items():
            self.put(f"{folder}/{attribute}", content)
        (self.root / folder / "device").symlink_to("../..")
        link = self.root / f"sys/class/hwmon/hwmon{number}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(self.root / folder, link.parent))
        return self.root / folder

    def zone(self, number, kind, temp):
        self.put(f"sys/class/thermal/thermal_zone{number}/type", kind)
        return self.put(f"sys/class/thermal/thermal_zone{number}/temp", temp)

    def led(self, name, brightness, highest, trigger):
        self.put(f"sys/class/leds/{name}/max_brightness", highest)
        self.put(f"sys/class/leds/{name}/trigger", trigger)
        return self.put(f"sys/class/leds/{name}/brightness", brightness)

    def watchdog(self, number, identity, **attributes):
        self.put(f"sys/class/watchdog/watchdog{number}/identity", identity)
        for attribute, content in attributes.items():
            self.put(f"sys/class/watchdog/watchdog{number}/{attribute}", content)
        return self.put(f"dev/watchdog{number}", b"")


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


@pytest.fixture
def pi5(tree):
    tree.put("proc/device-tree/compatible", b"raspberrypi,5-model-b\0brcm,bcm2712\0")
    tree.zone(0, "cpu-thermal", 48300)
    tree.hwmon(0, "virtual/thermal/thermal_zone0", "cpu_thermal", temp1_input=48300)
    tree.hwmon(1, "platform/axi/1000120000.pcie/rp1_adc", "rp1_adc", in1_input=1472, temp1_input=52114)
    tree.hwmon(2, "platform/cooling_fan", "pwmfan", fan1_input=2937, pwm1=75, pwm1_enable=1)
    tree.hwmon(3, "platform/soc/soc:firmware/raspberrypi-hwmon", "rpi_volt", in0_lcrit_alarm=0)
    tree.led("ACT", 0, 255, "none kbd-scrolllock [mmc0] timer")
    tree.led("PWR", 255, 255, "[none] mmc0 timer")
    tree.watchdog(0, "Broadcom BCM2835 Watchdog timer", timeout=15, timeleft=14, state="inactive")
    return tree


@pytest.fixture
def rk1(tree):
    tree.put("proc/device-tree/compatible", b"turing,rk1\0rockchip,rk3588\0")
    for number, (kind, temp) in enumerate(
        {
            "package-thermal": 41615,
            "bigcore0-thermal": 42538,
            "bigcore2-thermal": 42538,
            "littlecore-thermal": 42538,
            "center-thermal": 40692,
            "gpu-thermal": 40692,
            "npu-thermal": 40692,
        }.items()
    ):
        tree.zone(number, kind, temp)
        tree.hwmon(number, f"virtual/thermal/thermal_zone{number}", kind.replace("-", "_"), temp1_input=temp)
    tree.hwmon(8, "platform/pwm-fan", "pwmfan", fan1_input=4110, pwm1=95, pwm1_enable=1)
    tree.watchdog(0, "Synopsys DesignWare Watchdog", timeout=44, timeleft=0, state="inactive")
    return tree


@pytest.fixture
def x86(tree):
    tree.zone(0, "acpitz", 27800)
    tree.zone(1, "x86_pkg_temp", 51000)
    tree.hwmon(0, "virtual/thermal/thermal_zone0", "acpitz", temp1_input=27800)
    tree.hwmon(1, "pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0", "nvme", temp1_input=38850, temp1_label="Composite")
    tree.hwmon(
        2,
        "platform/coretemp.0",
        "coretemp",
        temp1_input=51000,
        temp1_label="Package id 0",
        temp2_input=49000,
        temp2_label="Core 0",
        temp3_input=51000,
        temp3_label="Core 1",
    )
    return tree
