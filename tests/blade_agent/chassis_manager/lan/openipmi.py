"""openipmish at a chassis manager: it is told what to do line by line, and says in words what it sees."""

import asyncio
import re

from tests.patience import PATIENCE_S

_OPEN = (
    'domain open shelf lan -U {user} -P "{password}" -p {port} -Ra rakp_hmac_sha1 -Ri hmac_sha1 -Rc aes_cbc_128 {host}'
)


class OpenIpmi:
    """A shell of OpenIPMI with one chassis open."""

    def __init__(self, process):
        self._process = process
        self._told = ""

    @classmethod
    async def open(cls, address, user="root", password="correct horse batt"):
        """Start it and open the chassis at an address."""
        process = await asyncio.create_subprocess_exec(
            "openipmish",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        shell = cls(process)
        opening = _OPEN.format(user=user, password=password, host=address.host, port=address.port)
        await shell.tell(opening, "Domain fully up")
        return shell

    async def tell(self, command, until):
        """Give a command; give what is said until it shows a pattern, which is the command's own only after it."""
        self._told = ""
        self._process.stdin.write(f"{command}\n".encode())
        await self._process.stdin.drain()
        return await self.hears(until)

    async def hears(self, until):
        """Give what is said from the last command on, once it shows a pattern."""
        async with asyncio.timeout(PATIENCE_S):
            while not re.search(until, self._told):
                heard = await self._process.stdout.read(65536)
                assert heard, f"openipmish ended: {self._told}"
                self._told += heard.decode()
        return self._told

    async def shows(self, command, pattern):
        """Give a command again and again until its answer shows a pattern: it learns in its own time."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._told = ""
                self._process.stdin.write(f"{command}\n".encode())
                await asyncio.sleep(0.2)
                told = await self.hears(r"(?m)^>")
                if re.search(pattern, told):
                    return told

    async def close(self):
        """End it."""
        self._process.kill()
        await self._process.wait()
