"""Converts predictions of the probe's images, and maps of why, to messages and back."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import ClassMap, ExplainedSample, SampleMaps
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec_arrays import decode_image, encode_image
from tb_cnndiag.summaries.codec_planes import deflated, unpacked


def encode_sample_maps(payload: SampleMaps) -> pb.SampleMaps:
    known = len(payload.labels) > 0
    return pb.SampleMaps(
        samples=len(payload.predictions),
        classes=payload.classes,
        predictions=deflated(payload.predictions, "<u2"),
        labels=deflated(payload.labels, "<u2") if known else b"",
        confidences=deflated(payload.confidences, "<f2"),
        chosen=[
            pb.ExplainedSample(
                sample=each.sample,
                reason=each.reason,
                picture=encode_image(each.picture),
                maps=[
                    pb.ClassMap(
                        method=one.method, map=encode_image(one.image), similarity=one.similarity, note=one.note
                    )
                    for one in each.maps
                ],
            )
            for each in payload.chosen
        ],
    )


def decode_sample_maps(message: pb.SampleMaps) -> SampleMaps:
    shape = (message.samples,)
    labels = unpacked(message.labels, "<u2", shape) if message.labels else np.empty(0)
    outside = [each.sample for each in message.chosen if each.sample >= message.samples]
    if outside:
        raise ValueError(f"image {outside[0]} of {message.samples}")
    return SampleMaps(
        predictions=unpacked(message.predictions, "<u2", shape).astype(np.int64),
        labels=labels.astype(np.int64),
        confidences=unpacked(message.confidences, "<f2", shape).astype(np.float32),
        classes=message.classes,
        chosen=tuple(_decode_sample(each) for each in message.chosen),
    )


def _decode_sample(message: pb.ExplainedSample) -> ExplainedSample:
    maps = tuple(ClassMap(one.method, decode_image(one.map), one.similarity, one.note) for one in message.maps)
    return ExplainedSample(message.sample, message.reason, decode_image(message.picture), maps)
