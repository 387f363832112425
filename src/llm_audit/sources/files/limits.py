"""Sizes that bound memory and determine where a file is cut."""

from __future__ import annotations

BLOCK_BYTES = 1 << 22
"""Read at a time from a file that is not compressed."""

SHARD_BYTES = 1 << 24
"""A plain JSONL file is cut into ranges of this size; smaller files are bundled up to it."""

MAX_RECORD_BYTES = 1 << 26
"""A longer line or JSON value (64 MiB) is rejected as too long without being held in memory."""

COPY_BYTES = 1 << 20
"""Copied at a time out of an archive."""

MAX_MEMBER_BYTES = 1 << 34
"""A larger file in an archive (16 GiB) is refused, since it is copied to disk to be read."""

MAX_MEMBERS = 100_000
"""An archive of more entries is refused, since each takes memory."""

MAX_DECODED_BYTES = 1 << 26
"""Rows of a Parquet file are made at once as long as their values have at most 64 MiB, else one by one."""

MAX_EXPANSION = 500
"""A column of a Parquet file that unpacks to over 64 MiB and more than this factor is refused."""

SNIFF_BYTES = 1 << 16
"""Read from the beginning of a file to detect its container."""

SNIFF_RECORDS = 20
"""Records examined to detect a file's format; agent transcripts begin without usage."""

FETCH_BYTES = 1 << 23
"""Asked for at a time of an object that is copied to disk to be read."""

HEAD_BYTES = 1 << 20
"""Read from the beginning of an object to recognise its container and format."""

TAIL_BYTES = 1 << 16
"""Read beyond the end of a range to find where its last line ends, doubled until it does."""
