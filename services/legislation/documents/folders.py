"""Collections: what the folder of a file says about it, read from catalog/legislation/collections.yaml."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from kernel import catalog
from kernel.errors import Problem
from services.legislation.documents.rules import Collection, read_kind


@dataclass(frozen=True, slots=True)
class Folder:
    """One row: parts of a path, with "*" for any name, and what they say."""

    parts: tuple[str, ...]
    collection: Collection
    body_is_folder: bool

    def covers(self, path: Sequence[str]) -> str | None:
        """The last matching name when these parts stand next to each other somewhere in the path."""
        width = len(self.parts)
        for at in range(len(path) - width + 1):
            names = path[at : at + width]
            if all(fnmatchcase(name, part) for name, part in zip(names, self.parts, strict=True)):
                return names[-1]
        return None


class Collections:
    """The rows of the catalog, most special first."""

    def __init__(self, folders: Sequence[Folder] = ()) -> None:
        self._folders = sorted(
            folders, key=lambda row: (len(row.parts), len("".join(row.parts))), reverse=True
        )

    @classmethod
    def load(cls, file: Path) -> "Collections":
        """Read the catalog. Raises `CatalogInvalid` with the line of each fault."""
        read = catalog.read(file)
        problems = list(_problems(read.data))
        if problems:
            raise read.located(problems)
        return cls([_folder(row) for row in read.data["folders"]])

    def of(self, name: str) -> Collection:
        """What the folders above a file say about it; an empty collection when none is known."""
        path = PurePosixPath(name).parts[:-1]
        for folder in self._folders:
            last = folder.covers(path)
            if last is not None:
                body = last if folder.body_is_folder else folder.collection.issuing_body
                return Collection(kind=folder.collection.kind, issuing_body=body)
        return Collection()


def _folder(row: dict[str, Any]) -> Folder:
    collection = Collection(kind=read_kind(row["kind"]), issuing_body=row.get("issuing_body", ""))
    return Folder(PurePosixPath(row["folder"]).parts, collection, bool(row.get("body_is_folder", False)))


def _problems(data: Any) -> Iterator[Problem]:
    rows = data.get("folders") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        yield Problem("folders", "legislation.bad_collections", "应有 folders 列表")
        return
    for at, row in enumerate(rows):
        place = f"folders[{at}]"
        if not isinstance(row, dict) or not str(row.get("folder", "")).strip():
            yield Problem(place, "legislation.bad_collections", "缺少 folder（文件夹名）")
        elif read_kind(str(row.get("kind", ""))) is None:
            yield Problem(place, "legislation.bad_collections", f"不认识的文件种类 {row.get('kind')}")
