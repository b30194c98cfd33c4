"""A process that may not reach a network: the kernel kills it when it connects or sends, whichever library does.

Patched Python functions would not see what happens in C. Sockets may be made and bound, as urllib3 does at import to
learn whether there is IPv6. Linux, x86-64 and ARM 64; `forbid()` is for good.
"""

from __future__ import annotations

import ctypes
import platform
import struct
from typing import Final

# connect, sendto, sendmsg and sendmmsg in the kernel's tables.
CALLS: Final = {"x86_64": (42, 44, 46, 307), "aarch64": (203, 206, 211, 269)}

_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
_ALLOW, _KILL_PROCESS = 0x7FFF0000, 0x80000000  # linux/seccomp.h
_CALL_OFFSET = 0  # in struct seccomp_data
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, _PR_SET_NO_NEW_PRIVS = 22, 2, 38


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid() -> None:
    """From here on a connection or a message over any socket ends this process with SIGSYS. Raises OSError when the
    kernel does not take the filter."""
    calls = CALLS[platform.machine()]
    checks = [(_JUMP_IF_EQUAL, len(calls) - index, 0, call) for index, call in enumerate(calls)]
    instructions = [(_LOAD, 0, 0, _CALL_OFFSET), *checks, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _KILL_PROCESS)]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    program = _Program(len(instructions), code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program)):
        raise OSError(ctypes.get_errno(), "seccomp")
