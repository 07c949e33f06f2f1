"""Where logs lie: directories of this machine, and URLs such as ``s3://bucket/logs`` through fsspec.

fsspec is what TensorBoard itself reads URLs with; it and the package of each kind of store are extras.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeAlias

# A directory, or the URL of one.
LogLocation: TypeAlias = Path | str

EVENT_FILES = "*tfevents*"
BLOCK = 4 << 20
# Extras of ours that bring what a URL needs.
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}


class StorageError(OSError):
    """A URL that cannot be reached; the message says why and what to do."""


def place(location: str | os.PathLike[str]) -> LogLocation:
    """The URL as it is given, or the path of a directory."""
    text = os.fspath(location)
    return text.rstrip("/") if is_url(text) else Path(text)


def is_url(location: str | os.PathLike[str]) -> bool:
    """Whether it is a URL, and no path of this machine."""
    return "://" in os.fspath(location)


def below(location: str | os.PathLike[str], name: str) -> str:
    """Address of what lies below a directory or URL."""
    if is_url(location):
        return f"{os.fspath(location).rstrip('/')}/{name}".removesuffix("/.")
    return Path(location, name).as_posix()


def directories_named(name: str, root: LogLocation) -> dict[str, LogLocation]:
    """Directories of this name that hold event files: by the path of what holds them, relative to the root.

    Raises:
        FileNotFoundError, NotADirectoryError: When the root is none.
        StorageError: When a URL cannot be reached.
    """
    found = _remote(name, root) if isinstance(root, str) else _local(name, root)
    return dict(sorted(found))


def event_files(directory: LogLocation) -> list[LogLocation]:
    """Event files directly in a directory, in the order in which they were begun."""
    if isinstance(directory, Path):
        return sorted(path for path in directory.glob(EVENT_FILES) if path.is_file())
    with _reaching(directory) as (filesystem, path):
        filesystem.invalidate_cache(path)
        listed = filesystem.ls(path, detail=True)
    names = sorted(PurePosixPath(entry["name"]).name for entry in listed if entry["type"] == "file")
    return [f"{directory}/{name}" for name in names if PurePosixPath(name).match(EVENT_FILES)]


@contextmanager
def opened(file: LogLocation) -> Iterator[tuple[BinaryIO, int]]:
    """The file, buffered, and its size at this moment.

    Raises:
        OSError: When it cannot be opened.
    """
    if isinstance(file, Path):
        with file.open("rb", buffering=BLOCK) as stream:
            yield stream, os.fstat(stream.fileno()).st_size
        return
    with _reaching(file) as (filesystem, path):
        remote = filesystem.open(path, "rb", block_size=BLOCK)
        size = remote.seek(0, os.SEEK_END)
        remote.seek(0)
    with remote:
        yield remote, size


def _local(name: str, root: Path) -> Iterator[tuple[str, LogLocation]]:
    if not root.exists():
        raise FileNotFoundError(
            f"{root} does not exist. Give the directory that the callback was given, as in CNNDiagnostics(log_dir)."
        )
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is a file. Give the directory above it.")
    for path, directories, _ in os.walk(root, followlinks=True):
        directories.sort()
        if name in directories and event_files(Path(path, name)):
            yield Path(path).relative_to(root).as_posix(), Path(path, name)


def _remote(name: str, root: str) -> Iterator[tuple[str, LogLocation]]:
    with _reaching(root) as (filesystem, path):
        filesystem.invalidate_cache()
        if filesystem.isfile(path):
            raise NotADirectoryError(f"{root} is a file. Give the directory above it.")
        files = filesystem.find(path)
        if not files and not filesystem.exists(path):
            raise FileNotFoundError(f"{root} does not exist. Give the URL of the log, or of what is above it.")
    start = PurePosixPath(path)
    for directory in {PurePosixPath(file).parent for file in files if PurePosixPath(file).match(EVENT_FILES)}:
        if directory.name == name and directory != start:
            run = directory.parent.relative_to(start).as_posix()
            yield run, below(below(root, run), name)


@contextmanager
def _reaching(url: str) -> Iterator[tuple[Any, str]]:
    """The file system of a URL and the path in it; whatever a store raises becomes an OSError."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise StorageError(f"{url} is read through fsspec, which is missing. {_how_to_install(url)}") from None
    try:
        yield url_to_fs(url)
    except OSError:
        raise
    except ImportError as error:
        raise StorageError(f"{url} cannot be read: {error}. {_how_to_install(url)}") from None
    except Exception as error:  # stores have no class of errors in common
        raise StorageError(f"{url} cannot be reached ({type(error).__name__}: {error}).") from error


def _how_to_install(url: str) -> str:
    extra = _EXTRAS.get(url.partition("://")[0], "remote")
    return f"Run: pip install 'tb-cnndiag[{extra}]'"
