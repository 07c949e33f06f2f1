"""The Python face of the contract: generated protobuf code, codec, event file writer and reader."""
