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
# Most messages and bytes in a response; a larger response is thinned.
MAX_MESSAGES = 2_000
MAX_BYTES = 4 << 20
ALL = 1_000_000
# Age of the list of runs, as a multiple of the processor time that building it took. Above FRESH, the list is still
# served while it is rebuilt in the background. Above STALE, requests wait for a new list.
FRESH, STALE = 5.0, 15.0
MIME_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}


class _RunList(NamedTuple):
    """The compressed list of an experiment's runs, when it was built, and the processor time this took, in seconds."""

    experiment: str
    built: float
    cost: float
    body: bytes


class CNNDiagnosticsPlugin(base_plugin.TBPlugin):
    """Shows the logs of :class:`tb_cnndiag.CNNDiagnostics`."""

    plugin_name = PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext) -> None:
        self._data: provider.DataProvider = context.data_provider
        self._lock = threading.Lock()
        self._run_list: _RunList | None = None
        self._rebuilding = False

    def get_plugin_apps(self) -> Mapping[str, Callable[..., Any]]:
        """Routes below ``/data/plugin/cnndiag``."""
        return {"/static/*": self._serve_static, "/runs": self._serve_runs, "/measurements": self._serve_measurements}

    def is_active(self) -> bool:
        """False: TensorBoard shows the tab if the log has data under one of the plugin's names."""
        return False

    def data_plugin_names(self) -> tuple[str, ...]:
        """Plugin names under which the log contains data of this plugin."""
        return PLUGIN_NAME, HEAVY_PLUGIN_NAME

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Path of the frontend, and the name of the tab."""
        return base_plugin.FrontendMetadata(es_module_path="/static/index.js", tab_name="CNN Diagnostics")

    def runs(self, context: Any, experiment: str) -> list[dict[str, Any]]:
        """Each run with its tags."""
        tags_of: dict[str, dict[str, dict[str, Any]]] = {}
        for name in self.data_plugin_names():
            listed = self._data.list_tensors(context, experiment_id=experiment, plugin_name=name)
            for run, tags in listed.items():
                for tag, series in tags.items():
                    parts = split_tag(tag)
                    if parts is not None:
                        tags_of.setdefault(run, {})[tag] = {
                            "tag": tag,
                            "diagnostic": parts[0],
                            "layer": parts[1],
                            "max_step": int(series.max_step),
                        }
        return [
            {"run": run_name(run), "id": run, "tags": [tags[tag] for tag in sorted(tags)]}
            for run, tags in sorted(tags_of.items())
        ]

    def measurements(
        self, context: Any, experiment: str, run: str, tag: str, limit: int = MAX_MESSAGES, column: str = ""
    ) -> bytes:
        """A serialized ``MeasurementList``: the messages of one tag, thinned to ``limit`` and to a few MB.

        Raises:
            errors.NotFoundError: If the run or tag does not exist.
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
                # Some loaders keep repeated steps: use the one that was written last.
                by_step = {datum.step: datum.numpy for datum in series}
                return [_bytes_of(by_step[step]) for step in sorted(by_step)]
        raise errors.NotFoundError(
            f"No data for run {run!r} and tag {tag!r}. If the log is still being loaded, reload the page."
        )

    @Request.application  # type: ignore[arg-type]
    def _serve_runs(self, request: Request) -> Response:
        _only_get(request)
        body = self._list(plugin_util.context(request.environ), plugin_util.experiment_id(request.environ))
        return _respond(request, body, "application/json", encoding="gzip")

    def _list(self, context: Any, experiment: str) -> bytes:
        """Runs and tags as compressed JSON.

        If a log has many runs, building the list takes most of a second and blocks other requests. Clients that send
        requests at the same time therefore share one list, which is also reused for some time; see ``FRESH`` and
        ``STALE``. For a small log, that time is close to 0.
        """
        with self._lock:
            run_list = self._run_list if self._run_list and self._run_list.experiment == experiment else None
            age = time.monotonic() - run_list.built if run_list else 0.0
            if run_list is None or age >= STALE * run_list.cost:
                run_list = self._run_list = self._build_list(context, experiment)
            elif age >= FRESH * run_list.cost and not self._rebuilding:
                self._rebuilding = True
                threading.Thread(target=self._rebuild, args=(context, experiment), daemon=True).start()
            return run_list.body

    def _build_list(self, context: Any, experiment: str) -> _RunList:
        begin = time.thread_time()
        body = gzip.compress(json.dumps({"runs": self.runs(context, experiment)}).encode(), 3)
        return _RunList(experiment, time.monotonic(), time.thread_time() - begin, body)

    def _rebuild(self, context: Any, experiment: str) -> None:
        try:
            self._run_list = self._build_list(context, experiment)
        finally:
            self._rebuilding = False

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
                f"{name} is not a file of the frontend. If the frontend is missing, reinstall the package: pip install "
                "--force-reinstall tb-cnndiag"
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
        except DecodeError:  # this message is damaged, but other messages of the tag may not be
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
        raise errors.InvalidArgumentError(f"{name}={text!r} is not a number from 1 to {ALL}.")
    return int(text)


def _only_get(request: Request) -> None:
    if request.method not in ("GET", "HEAD"):
        raise errors.InvalidArgumentError(f"The method {request.method} is not allowed. Use GET.")
