"""The files that a management board measures, as the kernel would lay them out."""


def write_tree(root, volts=(12.0, 12.0), watts=(40.0, 40.0), celsius=22.0):
    """Lay out the chip of a management board."""
    chip = root / "sys/class/hwmon/hwmon0"
    chip.mkdir(parents=True, exist_ok=True)
    (chip / "name").write_text("emulated_chassis\n")
    (chip / "temp1_input").write_text(f"{round(celsius * 1000)}\n")
    for number, (voltage, power) in enumerate(zip(volts, watts, strict=True), start=1):
        (chip / f"in{number}_input").write_text(f"{round(voltage * 1000)}\n")
        (chip / f"power{number}_input").write_text(f"{round(power * 1_000_000)}\n")
