"""What /proc knows of this machine and of a process; on systems without it, as much as can be said."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def memory_mb(pid: int) -> dict[str, float]:
    """Resident memory now and at its peak, from /proc; empty where there is none."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return {}
    kilobytes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if "kB" in rest
    }
    return {"now": round(kilobytes["VmRSS"] / 1024, 1), "peak": round(kilobytes["VmHWM"] / 1024, 1)}


def cpu_s(pid: int) -> float | None:
    """Processor time, user and system, of all threads of a process since it started; None where /proc does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the name, in parentheses, and may hold spaces; utime and stime are fields 14 and 15.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
