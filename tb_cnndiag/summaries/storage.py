"""Access to logs in local directories and, through fsspec, at URLs such as ``s3://bucket/logs``.

TensorBoard also uses fsspec to read URLs. fsspec and the package for each kind of store are extras.
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
# Our extra that installs the packages for each URL scheme.
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}


class StorageError(OSError):
    """A URL that cannot be reached; the message says why and what to do."""


def place(location: str | os.PathLike[str]) -> LogLocation:
    """The location as a URL, without a slash at the end, or as the path of a directory."""
    text = os.fspath(location)
    return text.rstrip("/") if is_url(text) else Path(text)


def is_url(location: str | os.PathLike[str]) -> bool:
    """Whether the location is a URL, not a local path."""
    return "://" in os.fspath(location)


def below(location: str | os.PathLike[str], name: str) -> str:
    """Address of a file or directory below a directory or URL."""
    if is_url(location):
        return f"{os.fspath(location).rstrip('/')}/{name}".removesuffix("/.")
    return Path(location, name).as_posix()


def directories_named(name: str, root: LogLocation) -> dict[str, LogLocation]:
    """Directories of this name that contain event files: path of the parent, relative to the root → directory.

    Raises:
        FileNotFoundError: If the root does not exist.
        NotADirectoryError: If the root is not a directory.
        StorageError: If a URL cannot be reached.
    """
    directories = _remote(name, root) if isinstance(root, str) else _local(name, root)
    return dict(sorted(directories))


def event_files(directory: LogLocation) -> list[LogLocation]:
    """Event files directly in a directory, in the order in which they were created."""
    if isinstance(directory, Path):
        return sorted(path for path in directory.glob(EVENT_FILES) if path.is_file())
    with _reaching(directory) as (filesystem, path):
        filesystem.invalidate_cache(path)
        listed = filesystem.ls(path, detail=True)
    names = sorted(PurePosixPath(entry["name"]).name for entry in listed if entry["type"] == "file")
    return [f"{directory}/{name}" for name in names if PurePosixPath(name).match(EVENT_FILES)]


@contextmanager
def opened(file: LogLocation) -> Iterator[tuple[BinaryIO, int]]:
    """The buffered file and its current size.

    Raises:
        OSError: If the file cannot be opened.
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
            f"{root} does not exist. Give the directory that you passed to the callback, CNNDiagnostics(log_dir)."
        )
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is a file. Give the directory that contains it.")
    for path, directories, _ in os.walk(root, followlinks=True):
        directories.sort()
        if name in directories and event_files(Path(path, name)):
            yield Path(path).relative_to(root).as_posix(), Path(path, name)


def _remote(name: str, root: str) -> Iterator[tuple[str, LogLocation]]:
    with _reaching(root) as (filesystem, path):
        filesystem.invalidate_cache()
        if filesystem.isfile(path):
            raise NotADirectoryError(f"{root} is a file. Give the directory that contains it.")
        files = filesystem.find(path)
        if not files and not filesystem.exists(path):
            raise FileNotFoundError(f"{root} does not exist. Give the URL of the log, or of a directory above it.")
    start = PurePosixPath(path)
    for directory in {PurePosixPath(file).parent for file in files if PurePosixPath(file).match(EVENT_FILES)}:
        if directory.name == name and directory != start:
            run = directory.parent.relative_to(start).as_posix()
            yield run, below(below(root, run), name)


@contextmanager
def _reaching(url: str) -> Iterator[tuple[Any, str]]:
    """The file system of a URL and the path in it; any error of the store becomes an OSError."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise StorageError(f"Reading {url} needs fsspec, which is not installed. {_how_to_install(url)}") from None
    try:
        yield url_to_fs(url)
    except OSError:
        raise
    except ImportError as error:
        raise StorageError(f"{url} cannot be read: {error}. {_how_to_install(url)}") from None
    except Exception as error:  # stores have no common error class
        raise StorageError(f"{url} cannot be reached ({type(error).__name__}: {error}).") from error


def _how_to_install(url: str) -> str:
    extra = _EXTRAS.get(url.partition("://")[0], "remote")
    return f"Run: pip install 'tb-cnndiag[{extra}]'"
