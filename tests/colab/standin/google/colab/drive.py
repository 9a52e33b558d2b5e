"""Google Drive: a folder `MyDrive` under the mount point, and the real one's words and refusals.

`DRIVE`, in the environment, is the folder that stands for what outlives the machine; without it, permission is denied.
"""

import os
from pathlib import Path


def mount(mountpoint: str, force_remount: bool = False, timeout_ms: int = 120000, readonly: bool = False) -> None:
    """Mount the student's Drive."""
    if " " in mountpoint:
        raise ValueError("Mountpoint must not contain a space.")
    place = Path(mountpoint)
    if (place / "MyDrive").is_dir() and not force_remount:
        print(
            f"Drive already mounted at {place}; to attempt to forcibly remount, "
            f'call drive.mount("{place}", force_remount=True).'
        )
        return
    if place.is_dir() and any(place.iterdir()):
        raise ValueError("Mountpoint must not already contain files")
    if "DRIVE" not in os.environ:
        raise ValueError("mount failed: invalid oauth code")
    place.mkdir(parents=True, exist_ok=True)
    (place / "MyDrive").symlink_to(os.environ["DRIVE"])
    print(f"Mounted at {place}")
