"""What U-Boot runs: the choice of `boot_state.boot`, in its own shell, and as the image that its `source` takes.

Numbers of its shell are hexadecimal. What a choice changes is written before it counts: where the disk does not take
it, the good slot is booted.
"""

import zlib

from blade_agent.boot.boot_copies import COPY_OFFSETS
from blade_agent.boot.boot_record import SECTOR_BYTES

PARTITION = "boot-state"
"""Name of the partition (GPT) that holds the two copies."""
_NAMES = (
    "boot_format boot_generation boot_good boot_other boot_tries boot_minimum boot_staged_minimum "
    "boot_release_a boot_release_b"
)
_SECOND, _BYTES = f"{(COPY_OFFSETS[1] - COPY_OFFSETS[0]) // SECTOR_BYTES:x}", f"{SECTOR_BYTES:x}"

CHOICE = f"""\
# Chooses the system slot: sets `slot` to a or b. Takes devtype, devnum and kernel_addr_r.
setenv slot a
setenv bs_at ${{kernel_addr_r}}
setenv bs_1
setenv bs_2
part start ${{devtype}} ${{devnum}} {PARTITION} bs_first
setexpr bs_second ${{bs_first}} + {_SECOND}
${{devtype}} dev ${{devnum}}
if ${{devtype}} read ${{bs_at}} ${{bs_first}} 1 && env import -c ${{bs_at}} {_BYTES} boot_generation; then
  setenv bs_1 0x${{boot_generation}}
fi
if ${{devtype}} read ${{bs_at}} ${{bs_second}} 1 && env import -c ${{bs_at}} {_BYTES} boot_generation; then
  setenv bs_2 0x${{boot_generation}}
fi
setenv bs_from ${{bs_first}}
setenv bs_to ${{bs_second}}
if test -n "${{bs_2}}"; then
  if test -z "${{bs_1}}" || test ${{bs_2}} -gt ${{bs_1}}; then
    setenv bs_from ${{bs_second}}
    setenv bs_to ${{bs_first}}
  fi
fi
for name in {_NAMES}; do setenv ${{name}}; done
if test -n "${{bs_1}}${{bs_2}}" && ${{devtype}} read ${{bs_at}} ${{bs_from}} 1; then
  env import -c ${{bs_at}} {_BYTES} {_NAMES}
  setenv slot ${{boot_good}}
  if test "${{boot_other}}" = pending; then
    setenv bs_slot ${{boot_good}}
    if test "${{boot_tries}}" = 0; then
      setenv boot_other failed
      setenv boot_staged_minimum
    else
      setexpr boot_tries ${{boot_tries}} - 1
      setenv bs_slot a
      if test "${{boot_good}}" = a; then setenv bs_slot b; fi
    fi
    setexpr boot_generation ${{boot_generation}} + 1
    if env export -c -s {_BYTES} ${{bs_at}} {_NAMES} && ${{devtype}} write ${{bs_at}} ${{bs_to}} 1; then
      setenv slot ${{bs_slot}}
    fi
  fi
fi
"""

_MAGIC = 0x2705_1956
_HEADER_BYTES = 64
_LINUX, _ARM64, _SCRIPT, _UNCOMPRESSED = 5, 22, 6, 0
_NAME_BYTES = 32


def script_image(script: str, name: str) -> bytes:
    """A script as U-Boot's `source` takes it (include/image.h, `legacy_img_hdr`), without a time: reproducible."""
    text = script.encode("ascii")
    data = len(text).to_bytes(4, "big") + bytes(4) + text
    fields = (0, len(data), 0, 0, zlib.crc32(data))
    rest = b"".join(field.to_bytes(4, "big") for field in fields)
    rest += bytes((_LINUX, _ARM64, _SCRIPT, _UNCOMPRESSED)) + name.encode("ascii")[:_NAME_BYTES].ljust(
        _NAME_BYTES, b"\0"
    )
    magic = _MAGIC.to_bytes(4, "big")
    checksum = zlib.crc32(magic + bytes(4) + rest)
    header = magic + checksum.to_bytes(4, "big") + rest
    if len(header) != _HEADER_BYTES:
        raise AssertionError(header)
    return header + data
