"""The Python side of the contract: generated protobuf code, codec, event file writer and reader."""
