"""What one worker may use."""

from dataclasses import asdict, dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """All sizes in bytes, all times in seconds.

    memory: beyond what the fork server has loaded, of all the worker's processes together.
    cpu: of the worker's whole life; the deadlines of single requests are the caller's.
    folder and files: size and count of what the worker writes in its private folder; file: the size of one file.
    reply: array data in one reply. output: of stdout and stderr that is kept.
    """

    memory: int = 1024 * MIB
    cpu: int = 900
    folder: int = 256 * MIB
    files: int = 1000
    file: int = 64 * MIB
    descriptors: int = 256
    threads: int = 64
    reply: int = 64 * MIB
    output: int = 64 * 1024

    def plain(self) -> dict[str, int]:
        """The fields as a dict, for the fork server's configuration."""
        return asdict(self)
