"""Damages to valid files: bytes, lines, numbers, values of JSON, nesting, encodings."""

import bz2
import gzip
import io
import json
import lzma
import re
import zipfile

MOST = 300_000  # bytes of a damaged file
PIECES = re.split(
    "[ \n]+",
    """
\0 \t \r \x0b \x1b[31m \x7f \x85 \u202e \ufeff " ' \\ # @ _ - : { } [ ] < > & * ! null true NaN
Infinity -1 0 1e999 0x1F 1_0 ٣ ½ \\ud800 -DOCSTART- # a=b B- I-X T1\tK\t0\t3;4 (<L ID= ⌊> >⌋ ¦
</wf> <wf> <!DOCTYPE a[<!ENTITY b'c'>]> &b; <![CDATA[ ../x \udcff ${data.x} ${oc.env:HOME} '${'
_target_:os.system &a[*a] !!python/name:os
""",
)
NUMBERS = ["-1", "0", "4294967296", "9" * 19, "9" * 400, "9" * 5000, "1e308", "-0.5"]
NESTS = ["[", '{"a":', "<a>", "(", "- ", "{a: ", '[{"text":']
VALUES = [
    *(None, True, -1, 0, 0.5, 2**31, 2**63, 10**400, float("inf"), float("nan"), "", " ", "\ud800"),
    *("\x1b[2J", "a\nb", "x" * 5000, [], {}, [[]], {"": None}, [None, 1, "a"], {"a": {"b": []}}),
    *("${data.x}", "1", [0, 1, "x"], ["a", "b"], "a" * 300, "a/" * 90, "a\0"),
]
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig"]


def mutated(content, draw):
    """Return a file's bytes, damaged once or a few times."""
    for _ in range(draw.choice((1, 1, 1, 2, 4, 12))):
        content = draw.choice(MUTATIONS)(content, draw)[:MOST]
    return content


def cut(content, draw):
    return content[: draw.randrange(len(content) + 1)]


def flipped(content, draw):
    changed = bytearray(content or b"\0")
    for _ in range(draw.choice((1, 1, 3, 20))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def repeated(content, draw):
    """Repeat a part; no times: delete it."""
    begin = cut(content, draw)
    part = content[len(begin) :][: draw.choice((1, 1, 2, 4, 16, 100, MOST))]
    return begin + part * draw.choice((0, 0, 2, 3, 10, 300)) + content[len(begin) + len(part) :]


def inserted(content, draw):
    begin, piece = cut(content, draw), draw.choice(PIECES)
    return begin + piece.encode("utf-8", "surrogateescape") + content[len(begin) :]


def nested(content, draw):
    begin = draw.choice((b"", cut(content, draw)))
    nest = draw.choice(NESTS).encode() * draw.choice((60, 950, 20_000))
    return begin + nest + content[len(begin) :]


def reordered(content, draw):
    """Swap, empty or delete lines, or mix the cells of one."""
    lines = content.split(b"\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    cells = lines[one].split(b"\t")
    match draw.randrange(4):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            lines[one] = b""
        case 2:
            lines[one:other] = []
        case 3:
            lines[one] = b"\t".join(draw.sample(cells, len(cells)))
    return draw.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\n\n")).join(lines)


def renumbered(content, draw):
    place = draw.choice(list(re.finditer(rb"\d+", content)) or [re.match(b"", content)])
    return content[: place.start()] + draw.choice(NUMBERS).encode() + content[place.end() :]


def encoded(content, draw):
    return content.decode("utf-8", "replace").encode(draw.choice(ENCODINGS), "replace")


def revalued(content, draw):
    """Change a value of a file or line that is JSON; the checksum in it mostly goes."""
    lines = [content] if draw.random() < 0.5 else content.split(b"\n")
    number = draw.choice((0, draw.randrange(len(lines))))
    try:
        tree = json.loads(lines[number])
        node, key = draw.choice(list(places(tree)))
        if draw.random() < 0.2:
            del node[key]
        else:
            node[key] = draw.choice(VALUES)
        if isinstance(tree, dict) and draw.random() < 0.8:
            tree.pop("sha256", None)
        lines[number] = json.dumps(tree).encode()
    except (ValueError, LookupError, RecursionError):  # no JSON, or none that has values
        return content
    return b"\n".join(lines)


def places(node):
    """Yield maps and lists with the keys of their values."""
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from places(node[key])


MUTATIONS = [
    *(cut, flipped, flipped, repeated, repeated, inserted, inserted, nested, reordered, reordered),
    *(renumbered, encoded, revalued, revalued, revalued),
]


def zipped(content, draw, name="member"):
    """Return a zip archive with one member."""
    stream, method = io.BytesIO(), draw.choice((0, 8, 12, 14))
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


COMPRESSED = {
    ".gz": lambda content, draw: gzip.compress(content, 1, mtime=0),
    ".bz2": lambda content, draw: bz2.compress(content, 1),
    ".xz": lambda content, draw: lzma.compress(content, draw.choice((1, 2)), preset=0),
    ".zip": zipped,
}
