"""The TensorBoard plugin: serves the frontend and the log. See docs/http_api.md for the routes."""

from __future__ import annotations

import gzip
import json
import mimetypes
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard import errors, plugin_util
from tensorboard.backend import http_util
from tensorboard.data import provider
from tensorboard.plugins import base_plugin
from werkzeug import Request, Response

from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.names import HEAVY_PLUGIN_NAME, PLUGIN_NAME, run_name, split_tag
from tb_cnndiag.summaries.thinning import thinned

STATIC = Path(__file__).parent / "static"
# A reply holds at most so many messages and bytes; what is more is thinned.
MAX_MESSAGES = 2_000
MAX_BYTES = 4 << 20
ALL = 1_000_000
# The list of runs is kept for so many times as long as the processor took to make it, and for the second number still
# answered with while it is made anew.
KEPT, STALE = 5.0, 15.0
MIME_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}


class _Listed(NamedTuple):
    """A list of runs, compressed: of what, when it was made, and how long the processor took, in seconds."""

    experiment: str
    made: float
    cost: float
    body: bytes


class CNNDiagnosticsPlugin(base_plugin.TBPlugin):
    """Shows what :class:`tb_cnndiag.CNNDiagnostics` logged."""

    plugin_name = PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext) -> None:
        self._data: provider.DataProvider = context.data_provider
        self._listing = threading.Lock()
        self._listed: _Listed | None = None
        self._renewing = False

    def get_plugin_apps(self) -> Mapping[str, Callable[..., Any]]:
        """Routes below ``/data/plugin/cnndiag``."""
        return {"/static/*": self._serve_static, "/runs": self._serve_runs, "/measurements": self._serve_measurements}

    def is_active(self) -> bool:
        """False: TensorBoard shows the tab when the log has data under one of the plugin's names."""
        return False

    def data_plugin_names(self) -> tuple[str, ...]:
        """Names under which the log holds data of this plugin."""
        return PLUGIN_NAME, HEAVY_PLUGIN_NAME

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Where the frontend is, and the name of the tab."""
        return base_plugin.FrontendMetadata(es_module_path="/static/index.js", tab_name="CNN Diagnostics")

    def runs(self, context: Any, experiment: str) -> list[dict[str, Any]]:
        """Each run with its tags."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for name in self.data_plugin_names():
            listed = self._data.list_tensors(context, experiment_id=experiment, plugin_name=name)
            for run, tags in listed.items():
                for tag, series in tags.items():
                    parts = split_tag(tag)
                    if parts is not None:
                        found.setdefault(run, {})[tag] = {
                            "tag": tag,
                            "diagnostic": parts[0],
                            "layer": parts[1],
                            "max_step": int(series.max_step),
                        }
        return [
            {"run": run_name(run), "id": run, "tags": [tags[tag] for tag in sorted(tags)]}
            for run, tags in sorted(found.items())
        ]

    def measurements(
        self, context: Any, experiment: str, run: str, tag: str, limit: int = MAX_MESSAGES, column: str = ""
    ) -> bytes:
        """A serialized ``MeasurementList``: the messages of one tag, thinned to ``limit`` and to a few MB.

        Raises:
            errors.NotFoundError: When there is no such run or tag.
        """
        messages = self._read(context, experiment, run, tag)
        total = len(messages)
        if column:
            messages = list(_only_column(messages, column))
        kept = thinned(messages, min(limit, MAX_MESSAGES))
        while len(kept) > 2 and sum(map(len, kept)) > MAX_BYTES:
            kept = thinned(kept, max(len(kept) // 2, 2))
        return bytes(pb.MeasurementList(items=kept, total=total).SerializeToString())

    def _read(self, context: Any, experiment: str, run: str, tag: str) -> list[bytes]:
        selected = provider.RunTagFilter(runs=[run], tags=[tag])
        for name in self.data_plugin_names() if split_tag(tag) else ():
            read = self._data.read_tensors(
                context, experiment_id=experiment, plugin_name=name, downsample=ALL, run_tag_filter=selected
            )
            series = read.get(run, {}).get(tag)
            if series:
                # One loader keeps repeated steps: the last one written counts.
                by_step = {datum.step: datum.numpy for datum in series}
                return [_bytes_of(by_step[step]) for step in sorted(by_step)]
        raise errors.NotFoundError(f"No data for run {run!r} and tag {tag!r}. The log may still be loading: reload.")

    @Request.application  # type: ignore[arg-type]
    def _serve_runs(self, request: Request) -> Response:
        _only_get(request)
        body = self._list(plugin_util.context(request.environ), plugin_util.experiment_id(request.environ))
        return _respond(request, body, "application/json", encoding="gzip")

    def _list(self, context: Any, experiment: str) -> bytes:
        """Runs and tags as JSON, compressed.

        Of a log with many runs that takes most of a second, in which others wait. So clients that ask at once share an
        answer; it is kept for a few times as long as it kept the processor busy, and made anew behind their back for a
        few times more: of a small log, not at all.
        """
        with self._listing:
            listed = self._listed if self._listed and self._listed.experiment == experiment else None
            age = time.monotonic() - listed.made if listed else 0.0
            if listed is None or age >= STALE * listed.cost:
                listed = self._listed = self._listed_anew(context, experiment)
            elif age >= KEPT * listed.cost and not self._renewing:
                self._renewing = True
                threading.Thread(target=self._renew, args=(context, experiment), daemon=True).start()
            return listed.body

    def _listed_anew(self, context: Any, experiment: str) -> _Listed:
        begin = time.thread_time()
        body = gzip.compress(json.dumps({"runs": self.runs(context, experiment)}).encode(), 3)
        return _Listed(experiment, time.monotonic(), time.thread_time() - begin, body)

    def _renew(self, context: Any, experiment: str) -> None:
        try:
            self._listed = self._listed_anew(context, experiment)
        finally:
            self._renewing = False

    @Request.application  # type: ignore[arg-type]
    def _serve_measurements(self, request: Request) -> Response:
        _only_get(request)
        data = self.measurements(
            plugin_util.context(request.environ),
            plugin_util.experiment_id(request.environ),
            _argument(request, "run"),
            _argument(request, "tag"),
            _count(request, "max"),
            request.args.get("column", ""),
        )
        return _respond(request, data, "application/octet-stream")

    @Request.application  # type: ignore[arg-type]
    def _serve_static(self, request: Request) -> Response:
        _only_get(request)
        name = PurePosixPath(request.path).name
        path = STATIC / name
        if path.suffix not in MIME_TYPES | {".woff2": ""} or not path.is_file():
            raise errors.NotFoundError(
                f"{name} is no file of the frontend. Without any, reinstall: pip install --force-reinstall tb-cnndiag"
            )
        mime = MIME_TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return _respond(request, path.read_bytes(), mime, expires=0 if name == "index.js" else 31_536_000)


def _respond(request: Request, body: str | bytes, mime: str, expires: int = 0, encoding: str | None = None) -> Response:
    response: Response = http_util.Respond(request, body, mime, expires=expires, content_encoding=encoding)
    return response


def _bytes_of(value: Any) -> bytes:
    item = np.asarray(value, dtype=object).reshape(-1)
    return bytes(item[0]) if item.size and isinstance(item[0], bytes) else b""


def _only_column(messages: list[bytes], name: str) -> Iterator[bytes]:
    for data in messages:
        try:
            message = pb.Measurement.FromString(data)
        except DecodeError:  # damaged: others of the tag may not be
            continue
        columns = [column for column in message.layer_columns.columns if column.name == name]
        if columns:
            del message.layer_columns.columns[:]
            message.layer_columns.columns.extend(columns)
            yield message.SerializeToString()


def _argument(request: Request, name: str) -> str:
    value = request.args.get(name)
    if not value:
        raise errors.InvalidArgumentError(f"The query parameter {name!r} is missing.")
    return str(value)


def _count(request: Request, name: str) -> int:
    text = request.args.get(name, str(MAX_MESSAGES))
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:9]) <= ALL:
        raise errors.InvalidArgumentError(f"{name}={text!r}: a number from 1 to {ALL} is wanted.")
    return int(text)


def _only_get(request: Request) -> None:
    if request.method not in ("GET", "HEAD"):
        raise errors.InvalidArgumentError(f"{request.method} is not allowed: everything here is read by GET.")
