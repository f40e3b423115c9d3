"""Commands about the chassis manager itself, and the chassis as a whole."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from blade_agent.cbc.command import NET_FN_APPLICATION, Command, CommandCode
from blade_agent.cbc.device_messages import (
    GET_DEVICE_GUID,
    GET_DEVICE_ID,
    GET_SELF_TEST_RESULTS,
    IPMI_VERSION_2_0,
    DeviceId,
    Guid,
    SelfTest,
)
from blade_agent.cbc.identity import Identity
from blade_agent.cbc.message import CHASSIS_MANAGER_ADDRESS, CompletionCode
from blade_agent.cbc.picmg_messages import (
    GET_ADDRESS_INFO,
    GET_PICMG_PROPERTIES,
    PICMG_VERSION_2_3,
    AddressInfo,
    AddressKey,
    PicmgProperties,
)
from blade_agent.chassis_manager.lan.cipher import BLOCK_BYTES, CIPHER_SUITES, SessionKeys
from blade_agent.chassis_manager.lan.command_table import Answer, Asked, Entry, RefusedCommandError
from blade_agent.chassis_manager.lan.users import Privilege
from blade_agent.chassis_manager.snapshot import SlotSnapshot

_NET_FN_CHASSIS = 0x00
_GET_SYSTEM_GUID = 0x37
_CHASSIS_DEVICE = 0x80
_SITE_TYPE_SHELF_MANAGER = 0x03
_SITE = 1
_OWN_FRU = 0

_POWER_IS_ON = 0x01
_RESTORE_POLICY_UNKNOWN = 0x60
_IN_SERVICE = frozenset({"M3", "M4", "M5", "M6"})

_PASSED = SelfTest(0x55, 0x00)
_FIRMWARE_CORRUPT = SelfTest(0x57, 0x01)


class DeviceCommands:
    """What is asked about the manager and its chassis."""

    def __init__(self, identity: Identity, snapshot: Callable[[], Iterable[SlotSnapshot]]) -> None:
        """Take who the manager is, and how to see its slots."""
        self._identity = identity
        self._snapshot = snapshot

    def entries(self) -> tuple[Entry, ...]:
        """Give the commands."""
        system_guid = CommandCode(NET_FN_APPLICATION, b"", _GET_SYSTEM_GUID)
        return (
            _entry(GET_DEVICE_ID, (0,), self._device_id),
            _entry(GET_SELF_TEST_RESULTS, (0,), self._self_test),
            _entry(GET_DEVICE_GUID, (0,), self._guid),
            Entry(code=system_guid, lengths_bytes=(0,), privilege=None, answer=self._guid),
            Entry(
                code=CommandCode(_NET_FN_CHASSIS, b"", 0x00),
                lengths_bytes=(0,),
                privilege=Privilege.USER,
                answer=self._chassis_capabilities,
            ),
            Entry(
                code=CommandCode(_NET_FN_CHASSIS, b"", 0x01),
                lengths_bytes=(0,),
                privilege=Privilege.USER,
                answer=self._chassis_status,
            ),
            _entry(GET_PICMG_PROPERTIES, (0,), self._picmg_properties),
            _entry(GET_ADDRESS_INFO, (0, 1, 3, 4), self._address_info),
        )

    def _device_id(self, _asked: Asked) -> bytes:
        identity = self._identity
        major, minor, patch = identity.firmware_numbers
        return _data(
            GET_DEVICE_ID,
            DeviceId(
                device_id=identity.device_id,
                revision=identity.device_revision,
                firmware_major=major,
                firmware_minor=minor // 10 << 4 | minor % 10,
                ipmi_version=IPMI_VERSION_2_0,
                device_support=_CHASSIS_DEVICE,
                manufacturer=identity.manufacturer,
                product=identity.product,
                firmware_auxiliary=patch,
            ),
        )

    @staticmethod
    def _self_test(_asked: Asked) -> bytes:
        return _data(GET_SELF_TEST_RESULTS, _PASSED if _ciphers_work() else _FIRMWARE_CORRUPT)

    def _guid(self, _asked: Asked) -> bytes:
        return _data(GET_DEVICE_GUID, Guid(self._identity.guid))

    @staticmethod
    def _chassis_capabilities(_asked: Asked) -> bytes:
        """No lock, no intrusion sensor; the chassis device is here, and nothing of the others."""
        return bytes((0, 0, 0, 0, CHASSIS_MANAGER_ADDRESS))

    def _chassis_status(self, _asked: Asked) -> bytes:
        """The power is on when a blade is in service. Nothing else is known here, and said to be."""
        power_is_on = any(slot.hot_swap in _IN_SERVICE for slot in self._snapshot())
        return bytes((_RESTORE_POLICY_UNKNOWN | power_is_on * _POWER_IS_ON, 0, 0))

    @staticmethod
    def _picmg_properties(_asked: Asked) -> bytes:
        properties = PicmgProperties(version=PICMG_VERSION_2_3, max_fru=_OWN_FRU, controller_fru=_OWN_FRU)
        return _data(GET_PICMG_PROPERTIES, properties)

    @staticmethod
    def _address_info(asked: Asked) -> bytes:
        """Without a key, or by its own hardware or IPMB address."""
        fru, key, *rest = (*asked.fields, None, None)[:4] if asked.fields else (_OWN_FRU, None)
        own = {
            None: (None,),
            AddressKey.HARDWARE_ADDRESS.value: (CHASSIS_MANAGER_ADDRESS // 2,),
            AddressKey.IPMB_ADDRESS.value: (CHASSIS_MANAGER_ADDRESS,),
        }
        if fru != _OWN_FRU or key not in own or (key is not None and rest[0] not in own[key]):
            raise RefusedCommandError(CompletionCode.INVALID_FIELD)
        info = AddressInfo(
            hardware_address=CHASSIS_MANAGER_ADDRESS // 2,
            ipmb_address=CHASSIS_MANAGER_ADDRESS,
            fru=_OWN_FRU,
            site=_SITE,
            site_type=_SITE_TYPE_SHELF_MANAGER,
        )
        return _data(GET_ADDRESS_INFO, info)


def _entry(command: Command[Any, Any], lengths_bytes: tuple[int, ...], answer: Answer) -> Entry:
    return Entry(code=command.code, lengths_bytes=lengths_bytes, privilege=Privilege.USER, answer=answer)


def _data(command: Command[Any, Any], body: Struct) -> bytes:
    """Give the data of a response without the defining body, which the table puts before it."""
    return command.reply_data(body).removeprefix(command.code.group)


def _ciphers_work() -> bool:
    """Take a payload through every cipher suite, there and back."""
    payload, vector = bytes(range(37)), bytes(BLOCK_BYTES)
    return all(
        (keys := SessionKeys(suite, vector)).decrypt(keys.encrypt(payload, vector)) == payload
        for suite in CIPHER_SUITES
    )
