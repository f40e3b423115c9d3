"""Every file that a person writes: a whole one as its reader takes it, and the reader. Tests make each key wrong.

A whole file has every key of its type, so that a key that is added without a line here is noticed.
"""

import json
import math
import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from msgspec import Struct

from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.hardware.profile import HardwareProfile, load_profile
from blade_agent.settings import BladeSettings
from chassis_emulator.scenario.reader import read_scenario
from chassis_emulator.topology.topology import Topology, read_topology
from distribution_center.accounts.settings import AccountsSettings
from distribution_center.authentication.settings import AuthenticationSettings
from distribution_center.headquarters.settings import MamSettings
from distribution_center.network_management.settings import NmsSettings
from distribution_center.settings import CenterSettings
from media_network.settings import read_settings


class WrittenFile(NamedTuple):
    """A kind of file."""

    name: str
    kind: type[Struct] | None
    """What it is read as; None where its reader knows more than a type says."""
    whole: dict[str, Any]
    read: Callable[[Path], object]
    write: Callable[[dict[str, Any]], str]


def _facts(text):
    """TOML, in which a line that ends with a comma goes on in the next one."""
    return tomllib.loads(re.sub(r",\n\s+", ", ", text))


def _snmp():
    return _facts("""
        host = "127.0.0.1"
        port = 1161
        log_entries = 100
        contact = "who"
        location = "where"
        users = [{user = "reader", auth_protocol = "SHA-256", auth_password = "secret-one", priv_protocol = "AES",
                  priv_password = "secret-two", group = "few"}]
        communities = [{community = "public", group = "read-only", context = "blade1"}]
        targets = [{address = "127.0.0.1:162", user = "reader", inform = true, timeout_s = 1.0, retries = 2},
                   {address = "127.0.0.1:162", community = "public"}]
        groups.few = {read = "some", write = "", notify = "all", contexts = [""]}
        views.some = {include = ["1.3.6.1.2.1.2.2.1.*.3"], exclude = ["1.3.6.1.6"]}
    """)


BLADE = _facts("""
    slot = 2
    address = "192.0.2.12"
    backplane = "/dev/ttyS1"
    state = "/var/lib/media-station"
    zone = "hamburg"
    channels = ["/media/disk-a", {path = "/media/disk-b", mount = true}]
    media_port = 8080
    control_port = 8081
    rtsp_port = 8554
    service_port = "/dev/ttyS0"
    baud_rate = 115200
    profile = "generic-x86"
    capacity_bps = 800000000
    pause_s = 3600
    allow_elsewhere = false
    playlists_name_engines = false
    high_water_percent = 90.0
    low_water_percent = 80.0
    serial_number = "S-1"
    root = "/"
    watchdog = true
    reset_command = ["reboot", "-f"]
    power_off_command = ["poweroff"]
    service = {address = "192.0.2.200", take_command = ["true"], leave_command = ["true"], listen = false,
               rtp_port = 5004}
    authentication = {server = "192.0.2.3:8080", issuer = "media-station", audience = "media-station", skew_s = 60.0,
                      refresh_s = 60.0}
    accounts = {subscribers = "192.0.2.4:8085", billing = "192.0.2.5:8085", fresh_s = 60.0, stale_s = 3600.0,
                grace_s = 604800.0, refusal_s = 5.0, unconfirmed = "admit", kept = 20000}
    identity = {credentials = "/etc/media-station/identity.pem", authority = "/etc/media-station/authority.pem",
                revoked = "/etc/media-station/revoked.pem"}
""") | {"snmp": _snmp()}

CHASSIS = _facts("""
    station = "north"
    epoch_file = "/var/lib/media-station/epoch"
    state = "/var/lib/media-station"
    center = "192.0.2.1:8081"
    orders = "/run/media-station/chassis.sock"
    profile = "generic-x86"
    root = "/"
    slots.1 = {type = "serial", path = "/dev/ttyS1", baud_rate_bps = 115200, console = "/var/log/blade-1"}
    slots.2 = {type = "udp", address = "192.0.2.12:623", console = ""}
    budget = {reserve_w = 10.0, assumed_w = 10.0}
    lan = {address = "192.0.2.254", port = 623, users = [{name = "admin", password = "secret", privilege = "user"}]}
    [timing]
    heartbeat_s = 1.0
    director_heartbeat_s = 0.25
    eager_s = 0.1
    timeout_s = 0.2
    repeat_s = 0.1
    attempts = 5
    suspect_attempts = 3
    noisy_attempts = 25
    look_over_s = 3.0
    drain_s = 10.0
    urgent_drain_s = 1.0
    survey_after_s = 1.0
    temperature_s = 4.0
    supplies_s = 1.0
""") | {"snmp": _snmp()}

CENTER = _facts("""
    name = "main"
    address = "192.0.2.1"
    state = "/var/lib/media-station"
    home = "home"
    media_port = 8080
    control_port = 8081
    registry = "/var/lib/media-station/registry.sqlite"
    storing_patience_s = 60.0
    restore_after_s = 60.0
    counts_for_s = 86400.0
    surplus_percent = 20.0
    longest_segment_ms = 12000
    local_files = true
    identity = {credentials = "/etc/media-station/identity.pem", authority = "/etc/media-station/authority.pem",
                revoked = "/etc/media-station/revoked.pem"}
    metadata_zone = "Europe/Berlin"
    distances = {default_km = 1000.0, between = [{zones = ["hamburg", "berlin"], km = 255.0}]}
    cost = {bandwidth = 1.0, distance = 1.0, copying = 1.0, load = 2.0, missing = 10.0, stale = 100.0}
    page = {address = "127.0.0.1", port = 8082, users = ["root"], upload_bytes_max = 200000000000,
            uploads_bytes_max = 400000000000}
    [[providers]]
    name = "studio"
    address = "https://films.example/new/"
    also = ["https://mirror.example/new/"]
    credentials = "/etc/media-station/studio.toml"
    host_key = ""
    ca = ""
    endpoint = ""
    region = "us-east-1"
    at_once = 2
    bytes_max = 200000000000
""") | {"snmp": _snmp()}

MAM = _facts("""
    centers = {east = "192.0.2.1:8081", west = "192.0.2.2:8081"}
    state = "/var/lib/media-station/mam"
    address = "192.0.2.1"
    port = 8082
    poll_s = 2.0
    identity = {credentials = "/etc/media-station/identity.pem", authority = "/etc/media-station/authority.pem",
                revoked = "/etc/media-station/revoked.pem"}
""") | {"snmp": _snmp()}

ACCOUNTS = _facts("""
    address = "192.0.2.4"
    port = 8085
    state = "/var/lib/media-station/accounts"
    database = "postgresql://accounts@192.0.2.9/accounts"
    identity = {credentials = "/etc/media-station/identity.pem", authority = "/etc/media-station/authority.pem",
                revoked = "/etc/media-station/revoked.pem"}
""")

AUTH = _facts("""
    address = "192.0.2.3"
    state = "/var/lib/media-station/auth"
    port = 8080
    issuer = "media-station"
    audience = "media-station"
    algorithm = "ES256"
    token_s = 3600
    renewal_s = 2592000
    numbered = false
    password_threads = 2
""")

NMS = _facts("""
    centers = ["192.0.2.1:8081"]
    named_centers.east = {address = "192.0.2.2:8081", chassis = {north = "192.0.2.253:161"},
        user = {user = "reader", auth_protocol = "SHA-256", auth_password = "secret-one", priv_protocol = "AES",
                priv_password = "secret-two", group = "read-only"}}
    headquarters = "192.0.2.1:1163"
    state = "/var/lib/nms"
    address = "127.0.0.1"
    http_port = 8070
    panel = "http://127.0.0.1:8090/"
    names = ["nms.example"]
    chassis.north = "192.0.2.254:161"
    agents = {"192.0.2.12" = "192.0.2.12:1161"}
    snmp_port = 161
    notifications_port = 1162
    poll_s = 10.0
    at_once = 16
    timeout_s = 1.0
    retries = 1
    lost_after_s = 30.0
    discover_s = 10.0
    identity = {credentials = "/etc/media-station/identity.pem", authority = "/etc/media-station/authority.pem",
                revoked = "/etc/media-station/revoked.pem"}
    user = {user = "reader", auth_protocol = "SHA-256", auth_password = "secret-one", priv_protocol = "AES",
            priv_password = "secret-two", group = "read-only"}
""")

_SOURCE = 'source = "a test of this project"'
PROFILE = _facts(f"""
    title = "A board"
    identity = {{device_id = 1, device_revision = 1, manufacturer = 1, product = 1, maker = "M", part_number = "P",
                 {_SOURCE}}}
    compatible = {{machine = "A board of somebody", {_SOURCE}}}
    backplane = {{device = "/dev/ttyS1", baud_rate = 115200, {_SOURCE}}}
    service_port = {{device = "/dev/ttyS0", baud_rate = 115200, {_SOURCE}}}
    uarts = [{{name = "UART 2", device = "/dev/ttyS2", baud_rate = 115200, {_SOURCE}}}]
    watchdog = {{identity = "dog", timeout_max_s = 15, {_SOURCE}}}
    eeprom = {{device = "0-0050", size_bytes = 256, offset_bytes = 0, writable = false, {_SOURCE}}}
    handle = {{chip = "intrusion", attribute = "intrusion0_alarm", latched = false, {_SOURCE}}}
    power = {{levels_w = [5.0, 10.0], stream_shares = [0.5, 1.0], {_SOURCE}}}
    pins = [{{name = "PIN", line = 4, use = "nothing", {_SOURCE}}}]
    heat = {{idle_w = 3.0, busy_w = 9.0, stream_w_per_gbps = 1.0, capacity_j_per_k = 60.0, still_air_w_per_k = 0.2,
             full_air_w_per_k = 0.5, {_SOURCE}}}

    [[sensors]]
    name = "SoC temp"
    quantity = "temperature"
    entity = "processor"
    zone = "cpu-thermal"
    shown_max = 125.0
    {_SOURCE}
    thresholds = {{lower_critical = 0.0, upper_non_critical = 80.0, upper_critical = 90.0,
                   upper_non_recoverable = 100.0, hysteresis = 2.0, {_SOURCE}}}
    [[sensors]]
    name = "5 V"
    quantity = "voltage"
    entity = "system_board"
    hwmon = {{chip = "chip", device = "1-0040", channel = "in1"}}
    {_SOURCE}
    [[sensors]]
    name = "3 V"
    quantity = "voltage"
    entity = "system_board"
    hwmon = {{chip = "chip", label = "3V"}}
    {_SOURCE}
    [[fans]]
    name = "Fan"
    chip = "pwmfan"
    tach = "fan1"
    pwm = "pwm1"
    levels = [0, 100, 255]
    control = "agent"
    speed_max_rpm = 6000.0
    {_SOURCE}
    thresholds = {{lower_critical = 500.0, {_SOURCE}}}
    [[leds]]
    name = "Blue"
    device = "blue"
    use = "hot_swap"
    color = "blue"
    {_SOURCE}
    [[supplies]]
    name = "PSU 1"
    capacity_w = 100.0
    voltage = {{chip = "psu", channel = "in1"}}
    power = {{chip = "psu", channel = "power1"}}
    voltage_min_v = 11.0
    {_SOURCE}
""")

TOPOLOGY = yaml.safe_load("""
network: 7
name: lab
center: {name: main, home: home, providers: [{name: studio, address: "https://films.example/new/"}],
  cost: {bandwidth: 1.0, distance: 1.0, copying: 1.0, load: 2.0, missing: 10.0, stale: 100.0}}
stations:
  - {name: home, zone: hamburg, slots: 2, channels: 1, capacity_bps: 800000000, pause_s: 3600, allow_elsewhere: false,
     playlists_name_engines: false, baud_rate: 115200, profile: emulated, inlet_c: 22.0, supplies: 2, blade_cores: 0.5}
  - {name: north, zone: berlin, slots: 2}
other_centers:
  - {name: east, home: home, providers: [{name: studio, address: "https://films.example/new/"}],
     cost: {bandwidth: 1.0, distance: 1.0, copying: 1.0, load: 2.0, missing: 10.0, stale: 100.0},
     stations: [{name: home, zone: hamburg, slots: 2, channels: 1, capacity_bps: 800000000, pause_s: 3600,
                 allow_elsewhere: false, playlists_name_engines: false, baud_rate: 115200, profile: emulated,
                 inlet_c: 22.0, supplies: 2,
                 blade_cores: 0.5}]}
distances: {default_km: 1000.0, between: [{zones: [hamburg, berlin], km: 255.0}]}
pki: true
authentication: true
accounts: true
snmp: {community: public, targets: [{address: "127.0.0.1:9162", inform: true, community: public}]}
""")

SCENARIO = yaml.safe_load("""
name: evening
steps:
  - {at: 1, action: fault, kind: noise, target: north/1, bit_error_rate: 0.001, direction: both, for: 5, name: loud}
  - {at: 2, action: clear, name: loud}
  - {at: 3, action: pull, target: north/1, surprise: true}
  - {at: 4, action: insert, target: north/1}
  - {at: 5, action: power, target: north/1, power: cycle}
  - {at: 6, action: reset, target: north/1}
  - {at: 7, action: identify, target: north/1, seconds: 10}
""")


def as_toml(value: Any) -> str:
    """A value as TOML has it, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def as_toml_text(document: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {as_toml(value)}\n" for key, value in document.items())


def _settings(kind: type[Struct]) -> Callable[[Path], object]:
    return lambda path: read_settings(path, kind)


FILES = (
    WrittenFile("blade.toml", BladeSettings, BLADE, _settings(BladeSettings), as_toml_text),
    WrittenFile("chassis.toml", ManagerSettings, CHASSIS, _settings(ManagerSettings), as_toml_text),
    WrittenFile("center.toml", CenterSettings, CENTER, _settings(CenterSettings), as_toml_text),
    WrittenFile("mam.toml", MamSettings, MAM, _settings(MamSettings), as_toml_text),
    WrittenFile("auth.toml", AuthenticationSettings, AUTH, _settings(AuthenticationSettings), as_toml_text),
    WrittenFile("accounts.toml", AccountsSettings, ACCOUNTS, _settings(AccountsSettings), as_toml_text),
    WrittenFile("nms.toml", NmsSettings, NMS, _settings(NmsSettings), as_toml_text),
    WrittenFile("board.toml", HardwareProfile, PROFILE, lambda path: load_profile(str(path)), as_toml_text),
    WrittenFile("topology.yaml", Topology, TOPOLOGY, read_topology, yaml.safe_dump),
    WrittenFile("scenario.yaml", None, SCENARIO, read_scenario, yaml.safe_dump),
)
