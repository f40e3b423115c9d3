"""`blade-agent run`, as a person starts it by hand."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from blade_agent.hardware.profile import load_profile
from blade_agent.introduction import what_it_is
from blade_agent.settings import BladeSettings
from blade_agent.version import installed_version

BLADE_AGENT = Path(sys.executable).parent / "blade-agent"


def test_it_says_what_it_is_and_where_its_service_port_is(tmp_path, free_port):
    settings = tmp_path / "blade.toml"
    backplane = free_port()
    (tmp_path / "disk").mkdir()
    settings.write_text(
        f'slot = 3\naddress = "127.0.0.1"\nbackplane = "udp:127.0.0.1:{backplane}"\nservice_port = "pty"\n'
        f'state = "{tmp_path}/state"\nchannels = ["{tmp_path}/disk"]\nroot = "{tmp_path}"\n'
        f"control_port = {free_port()}\nmedia_port = {free_port()}\nwatchdog = false\n"
    )
    with subprocess.Popen([BLADE_AGENT, "run", "--settings", settings], stdout=subprocess.PIPE, text=True) as process:
        told = dict(process.stdout.readline().rstrip().split(": ", 1) for _ in range(4))
        path = told["service port"].partition(" ")[0]
        assert stat.S_ISCHR(os.stat(path).st_mode)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert told["blade in slot 3"] == f"{load_profile('generic-x86').title}, agent {installed_version()}"
    assert told["backplane"] == f"UDP, 127.0.0.1:{backplane}"
    assert f"ipmitool -I serial-basic -D {path}:115200 mc info" in told["service port"]


@pytest.mark.parametrize(
    ("service_port", "said"),
    [("/dev/ttyS0", "service port: /dev/ttyS0 (ipmitool"), ("", "service port: none (`service_port` in the settings")],
)
def test_a_port_that_is_none_is_said(service_port, said):
    settings = BladeSettings(slot=1, address="192.0.2.1", backplane="/dev/ttyS1", state="s", channels=("c",))
    assert said in what_it_is(settings, "a board", service_port)
    assert "backplane: /dev/ttyS1, 115200 baud" in what_it_is(settings, "a board", service_port)
