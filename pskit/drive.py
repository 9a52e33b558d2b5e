"""Google Drive, for those who want their checkpoints there: in Colab the machine's own files go with the machine."""

import sys
from pathlib import Path

MOUNT = Path("/content/drive")


def folder_in_drive(name: str) -> Path | None:
    """A folder of this name in the student's Drive, mounted if need be; None, with a sentence, where there is none."""
    if "google.colab" not in sys.modules:
        print("There is Google Drive in Colab only. Checkpoints stay beside the notebook.")
        return None
    from google.colab import drive

    try:
        drive.mount(str(MOUNT))
        folder = MOUNT / "MyDrive" / name
        folder.mkdir(parents=True, exist_ok=True)
    except Exception as error:  # Colab raises what it likes when permission is not given
        print(f"Google Drive could not be used ({error}). Checkpoints stay on this machine; everything else works.")
        return None
    print(f"Checkpoints go to your Google Drive, folder {name}.")
    return folder
