"""Whether a command can be started: four faults, told apart before anything is written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from resumelog.infrastructure.cli.options import InputError


def require_runnable(name: str) -> None:
    """Raise InputError for a command that is not there, a folder, not executable, or not for us."""
    if shutil.which(name):
        return
    if os.sep not in name and (found := _on_path(name)):
        raise InputError(_fault(found, str(found)))
    if not name or (os.sep not in name and not Path(name).is_dir()):
        here = f"./{name}" if name and Path(name).is_file() else "its path"
        raise InputError(f"there is no command {name!r} on the PATH; install it, or name {here}")
    raise InputError(_fault(Path(name), name))


def _on_path(name: str) -> Path | None:
    """Return the first file of that name on the PATH, be it executable or not."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return next((path for each in folders if (path := Path(each, name)).is_file()), None)


def _fault(path: Path, name: str) -> str:
    """Return what keeps a path from being run."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return f"no permission to look for the command {name!r}; open its folder to this user (+x)"
    except OSError as error:
        return f"there is no command {name!r} ({error.strerror}); install it, or name its path"
    if path.is_dir():
        return f"{name!r} is a folder, not a command; name the program in it"
    if not path.is_file():
        return f"{name!r} is no file that can be run; name a program"
    if not mode & 0o111:
        return (
            f"{name!r} is not executable; chmod +x it, or name its interpreter before it: sh {name}"
        )
    return f"no permission to run {name!r}; chmod it for this user, or run as one who may"
