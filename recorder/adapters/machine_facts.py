"""What the machine is: releases, disks in MiB, memory. Nothing of anybody."""

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recorder.adapters.disk_figures import free_bytes
from recorder.maintenance.model import Disk

LIBRARIES = (
    *("SQLAlchemy", "psycopg", "alembic", "APScheduler", "panoramisk", "aiohttp", "soundfile"),
    *("numpy", "cryptography", "fastapi", "starlette", "uvicorn", "structlog", "pydantic"),
    *("phonenumbers", "ldap3", "joserfc", "uvloop"),
)
MIB = 1 << 20


def releases() -> dict[str, str]:
    """Return what runs here, by name."""
    found = {"rejestrator": version("rejestrator"), "python": platform.python_version()}
    found |= {"system": _system(), "kernel": platform.release(), "machine": platform.machine()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def disks(volumes: Mapping[str, Path]) -> dict[str, Disk | None]:
    """Return how full the disk under each folder is; None = it cannot be reached from here."""
    free = free_bytes(volumes)
    return {
        name: _disk(path, free[name]) if name in free else None for name, path in volumes.items()
    }


def _disk(path: Path, free: int) -> Disk:
    told = os.statvfs(path)
    return Disk(
        path=str(path),
        free_mib=free // MIB,
        size_mib=told.f_blocks * told.f_frsize // MIB,
        free_inodes_percent=round(100 * told.f_favail / told.f_files) if told.f_files else None,
        read_only=bool(told.f_flag & os.ST_RDONLY),
    )


def figures(volumes: Mapping[str, Path]) -> dict[str, object]:
    """Return how full the disks are and how busy the machine is."""
    away = "cannot be reached from this process"
    return {
        "disks": {
            name: asdict(disk) if disk else {"path": str(volumes[name]), "says": away}
            for name, disk in disks(volumes).items()
        },
        "cores": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()],
        "memory_mib": _memory(),
    }


def _memory() -> dict[str, int]:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    known = dict(each.split(":", 1) for each in lines if ":" in each)
    wanted = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
    return {name: int(known[name].split()[0]) // 1024 for name in wanted if name in known}


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return platform.system()
