"""Read small PNG pictures (8 bits, RGB or RGBA, not interlaced) without a library."""

import struct
import zlib


def pixels(png: bytes) -> list[list[tuple[int, int, int]]]:
    """Return rows of (red, green, blue)."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", png[16:29])
    assert depth == 8, depth
    assert interlace == 0
    size = {2: 3, 6: 4}[colour]
    data, position = b"", 8
    while position < len(png):
        length, kind = struct.unpack(">I4s", png[position : position + 8])
        body = png[position + 8 : position + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", png[position + 8 + length :][:4])[0]
        if kind == b"IDAT":
            data += body
        position += length + 12
    raw = zlib.decompress(data)
    stride = width * size
    assert len(raw) == height * (stride + 1)
    above = bytearray(stride)
    rows = []
    for start in range(0, len(raw), stride + 1):
        row = bytearray(raw[start + 1 : start + 1 + stride])
        if raw[start]:
            _unfilter(raw[start], row, above, size)
        rows.append([(row[i], row[i + 1], row[i + 2]) for i in range(0, stride, size)])
        above = row
    return rows


def _unfilter(kind: int, row: bytearray, above: bytearray, size: int) -> None:
    for i in range(len(row)):
        left = row[i - size] if i >= size else 0
        up = above[i]
        corner = above[i - size] if i >= size else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            estimate = left + up - corner
            guess = min((left, up, corner), key=lambda each: abs(estimate - each))
        row[i] = (row[i] + guess) & 0xFF
