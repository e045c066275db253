"""The files of an archive that subsystems make of their own, as they offer them in their wiring."""

from collections.abc import Iterable

from edgeflow_cloud.infra.archive import Archived


class Files:
    """The files that subsystems contribute. `app` fills it once with what they offer."""

    def __init__(self) -> None:
        self._files: list[Archived] = []

    def learn(self, files: Iterable[Archived]) -> None:
        """Take a subsystem's files."""
        self._files.extend(files)

    def all(self) -> list[Archived]:
        """All of them, low to high."""
        return list(self._files)

    def tables(self) -> set[str]:
        """The tables whose rows stand in one of them."""
        return {table for file in self._files for table in file.tables}


FILES = Files()
