"""Users, as tools list them (IPMI 2.0, 22.26 to 22.30). Who there is, and what they may, the manager's settings say."""

import hmac
from enum import unique
from typing import Final

from blade_agent.backplane.command import NET_FN_APPLICATION, CommandCode
from blade_agent.backplane.message import Completion, CompletionCode
from blade_agent.chassis_manager.lan.command_table import (
    LAN_CHANNEL,
    Answer,
    Asked,
    CommandRefused,
    Entry,
    channel_of,
)
from blade_agent.chassis_manager.lan.users import MAX_NAME_BYTES, MAX_PASSWORD_BYTES, Privilege, Users

_NUMBER: Final = 0x3F
_FEWEST_NUMBERS: Final = 16
_ENABLED: Final = 0x40
_DISABLED: Final = 0x80
_MESSAGING: Final = 0x10
_NO_ACCESS: Final = 0x0F
_OPERATION: Final = 0x03
_TEST_PASSWORD: Final = 3
_LONG_PASSWORD: Final = 0x80
_SHORT_PASSWORD_BYTES: Final = 16


@unique
class PasswordCompletion(Completion):
    """What is wrong with a password that is tested (IPMI 2.0, 22.30)."""

    ANOTHER = 0x80
    ANOTHER_SIZE = 0x81


class UserCommands:
    """What is asked about users."""

    def __init__(self, users: Users) -> None:
        self._users = users

    def entries(self) -> tuple[Entry, ...]:
        """Give the commands. Those that change a user are refused: the settings would bring back what they said."""
        operator, administrator = Privilege.OPERATOR, Privilege.ADMINISTRATOR
        return (
            _entry("Set User Access", 0x43, (3, 4), administrator, _refuse),
            _entry("Get User Access", 0x44, (2,), operator, self._access),
            _entry("Set User Name", 0x45, (17,), administrator, _refuse),
            _entry("Get User Name", 0x46, (1,), operator, self._name),
            _entry("Set User Password", 0x47, (2, 18, 22), administrator, self._password),
        )

    def _access(self, asked: Asked) -> bytes:
        if channel_of(asked.fields[0]) != LAN_CHANNEL:
            raise CommandRefused(CompletionCode.INVALID_FIELD)
        user = self._users.numbered(self._existing(asked.fields[1]))
        counts = (
            max(_FEWEST_NUMBERS, self._users.highest),
            self._users.count | (_DISABLED if user is None else _ENABLED),
            self._users.count,
        )
        access = _NO_ACCESS if user is None else _MESSAGING | user.level
        return bytes((*counts, access))

    def _name(self, asked: Asked) -> bytes:
        user = self._users.numbered(self._existing(asked.fields[0]))
        return (b"" if user is None else user.name.encode()).ljust(MAX_NAME_BYTES, b"\0")

    def _password(self, asked: Asked) -> bytes:
        """Testing a password is all that is done: it takes an administrator, so nobody finds one out by it."""
        user = self._users.numbered(self._existing(asked.fields[0]))
        if asked.fields[1] & _OPERATION != _TEST_PASSWORD or user is None:
            raise CommandRefused(CompletionCode.WRONG_STATE)
        given, known = asked.fields[2:], user.password.encode()
        room_bytes = MAX_PASSWORD_BYTES if asked.fields[0] & _LONG_PASSWORD else _SHORT_PASSWORD_BYTES
        if len(given) != room_bytes:
            raise CommandRefused(CompletionCode.WRONG_LENGTH)
        if len(known) > room_bytes:
            raise CommandRefused(PasswordCompletion.ANOTHER_SIZE)
        if not hmac.compare_digest(given, known.ljust(room_bytes, b"\0")):
            raise CommandRefused(PasswordCompletion.ANOTHER)
        return b""

    @staticmethod
    def _existing(octet: int) -> int:
        number = octet & _NUMBER
        if not number:
            raise CommandRefused(CompletionCode.INVALID_FIELD)
        return number


def _refuse(_asked: Asked) -> bytes:
    raise CommandRefused(CompletionCode.WRONG_STATE)


def _entry(name: str, number: int, lengths_bytes: tuple[int, ...], privilege: Privilege, answer: Answer) -> Entry:
    code = CommandCode(NET_FN_APPLICATION, b"", number)
    return Entry(name=name, code=code, lengths_bytes=lengths_bytes, privilege=privilege, answer=answer)
