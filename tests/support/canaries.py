"""Secrets that nothing else looks like, and the search for them in every form in which one may leak."""

import base64
import json
import os
import random
import re
import stat
import string
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape as xml_escape

from tests.support.container import Container

#: Each is escaped in some form; among plain characters, so that no form has a run of plain ones in common.
_SPECIAL = ('"', "'", "\\", " ", "%", "$", "&", "é", "<", "+")


@dataclass(frozen=True)
class Canary:
    """A secret, and what gives it away: by form, the needles, each for a half of it or less."""

    name: str
    text: str
    needles: Mapping[str, tuple[bytes, ...]]
    number: bool = False  # too short to be told from a part of another number

    @cached_property
    def unique(self) -> frozenset[bytes]:
        """A text without special characters is the same in most forms."""
        return frozenset(needle for needles in self.needles.values() for needle in needles)

    def forms_in(self, data: bytes) -> set[str]:
        """Names of the forms in which it is in *data*, were it only a half."""
        there = {needle for needle in self.unique if needle in data}
        found = {form for form, needles in self.needles.items() if there.intersection(needles)}
        if self.number and "plain" in found and not self._stands_alone(data):
            found.remove("plain")
        return found

    def _stands_alone(self, data: bytes) -> bool:
        """Not so within a longer number or a name, nor as a fraction of a second."""
        return re.search(rb"(?<![0-9A-Za-z.])%b(?![0-9A-Za-z])" % self.text.encode(), data) is not None


def password(name: str) -> Canary:
    """30 characters, every third of them one that is escaped somewhere."""
    plain = _random(string.ascii_letters + string.digits, 2 * len(_SPECIAL))
    text = "".join(a + b + c for a, b, c in zip(plain[::2], _SPECIAL, plain[1::2], strict=True))
    return Canary(name, text, _needles(*_halves(text)))


def word(name: str) -> Canary:
    text = _random(string.ascii_lowercase + string.digits, 20)
    return Canary(name, text, _needles(*_halves(text)))


def totp_key(name: str, good: Callable[[str], bool]) -> Canary:
    """The key of an authenticator in base32, one that is *good*; its bytes are searched for, too."""
    text = ""
    while not (text and good(text)):
        text = _random("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32)
    needles = _needles(*_halves(text), *_halves(text.lower()))
    halves = [base64.b32decode(half) for half in _halves(text)]
    raw = {
        f"key in {form}": tuple(each for half in halves for each in encode(half))
        for form, encode in _BYTES.items()
    }
    return Canary(name, text, {**needles, **raw})


def code(name: str, text: str) -> Canary:
    """A code of six digits: whole, and in those forms alone in which it is enough to tell it by."""
    data = text.encode()
    needles = {
        "plain": (data,),
        "UTF-16": (text.encode("utf-16-le"), text.encode("utf-16-be")),
        "hexadecimal": _hexadecimal(data),
        "base64": (base64.b64encode(data),),
    }
    return Canary(name, text, needles, number=True)


def _random(alphabet: str, length: int) -> str:
    return "".join(random.SystemRandom().choices(alphabet, k=length))


def _halves(text: str) -> tuple[str, str]:
    """So what is cut off somewhere is found, too."""
    return text[: len(text) // 2], text[len(text) // 2 :]


def _needles(*texts: str) -> dict[str, tuple[bytes, ...]]:
    return {form: tuple(each for text in texts for each in encode(text)) for form, encode in _TEXTS.items()}


def _hexadecimal(data: bytes) -> tuple[bytes, ...]:
    return tuple(
        each.encode()
        for each in (data.hex(), data.hex().upper(), data.hex(" "), data.hex(":"), data.hex(" ").upper())
    )


def _base64(data: bytes, encode: Callable[[bytes], bytes] = base64.b64encode) -> tuple[bytes, ...]:
    """What all texts have in common that encode *data* in something, by its place in three bytes."""
    found = []
    for before in range(3):
        whole = encode(bytes(before) + data)
        found.append(whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6])
    return tuple(found)


def _escaped(
    text: str, escape: Callable[[str], str], plain: str = string.ascii_letters + string.digits
) -> bytes:
    return "".join(each if each in plain else escape(each) for each in text).encode()


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode())


def _printf_q(character: str) -> str:
    """As in bash's $'...'."""
    return "\\" + character if character in "'\\" else character if character.isascii() else _octal(character)


_BYTES: Mapping[str, Callable[[bytes], tuple[bytes, ...]]] = {
    "bytes": lambda data: (data,),
    "hexadecimal": _hexadecimal,
    "base64": _base64,
    "base64 for addresses": lambda data: _base64(data, base64.urlsafe_b64encode),
}
_TEXTS: Mapping[str, Callable[[str], tuple[bytes, ...]]] = {
    "plain": lambda text: (text.encode(),),
    "Latin-1": lambda text: (text.encode("latin-1"),),
    "UTF-16": lambda text: (text.encode("utf-16-le"), text.encode("utf-16-be")),
    "hexadecimal": lambda text: _hexadecimal(text.encode()),
    "base64": lambda text: _base64(text.encode()),
    "base64 for addresses": lambda text: _base64(text.encode(), base64.urlsafe_b64encode),
    "JSON in ASCII": lambda text: (json.dumps(text)[1:-1].encode(),),
    "JSON": lambda text: (json.dumps(text, ensure_ascii=False)[1:-1].encode(),),
    "URL": lambda text: (quote(text, safe="").encode(), _lower_percents(quote(text, safe=""))),
    "form": lambda text: (quote_plus(text).encode(), _lower_percents(quote_plus(text))),
    "shell, in quotes": lambda text: (
        text.replace("'", "'\"'\"'").encode(),
        text.replace("'", "'\\''").encode(),
    ),
    "shell, in double quotes": lambda text: (re.sub(r'(["\\$`])', r"\\\1", text).encode(),),
    "shell, with backslashes": lambda text: (_escaped(text, lambda each: "\\" + each),),
    "shell, as of printf %q": lambda text: (_escaped(text, _printf_q),),
    "C, as systemd does": lambda text: (
        _escaped(text, lambda each: "".join(f"\\x{byte:02x}" for byte in each.encode())),
    ),
    "C, octal": lambda text: (_escaped(text, _octal),),
    "Python": lambda text: (
        repr(text)[1:-1].encode(),
        ascii(text)[1:-1].encode(),
        repr(text.encode())[2:-1].encode(),
    ),
    "XML": lambda text: (xml_escape(text, {'"': "&quot;", "'": "&#39;"}).encode(), xml_escape(text).encode()),
}


def _lower_percents(text: str) -> bytes:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text).encode()


@dataclass
class Findings:
    """Where which canary was found, in which form."""

    canaries: tuple[Canary, ...]
    found: set[tuple[str, str, str]] = field(default_factory=set)  # name, form, place

    def look(self, data: bytes, place: str) -> None:
        self.found |= {(each.name, form, place) for each in self.canaries for form in each.forms_in(data)}

    def places(self, *names: str) -> set[str]:
        return {place for name, _, place in self.found if name in names}

    def forms(self, name: str, place: str) -> set[str]:
        return {form for found, form, where in self.found if (found, where) == (name, place)}


def look_at_files(findings: Findings, root: Path, since: float) -> int:
    """Look at all regular files below *root*, and at their names; return how many were looked at.

    Those that nobody touched after *since* (Unix time) are left out: a canary that is younger is not in them.
    """
    count = 0
    for folder, folders, files in os.walk(root):
        if folder == str(root):
            folders[:] = [name for name in folders if name not in ("proc", "sys")]
        for path in (Path(folder, name) for name in files):
            try:
                status = path.lstat()
                if not stat.S_ISREG(status.st_mode) or status.st_ctime < since - 1:
                    continue
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            count += 1
            place = f"/{path.relative_to(root)}"
            findings.look(data, place)
            findings.look(os.fsencode(place), f"the name {place}")
    return count


@dataclass
class Passing:
    """What was seen of the processes of a container and of a folder in it, looked at again and again."""

    container: Container
    folder: Path
    contents: dict[str, set[bytes]] = field(default_factory=dict)  # by place
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        inside = _pid_namespace(self.container.leader)
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if _pid_namespace(int(process.name)) != inside:
                    continue
                name = (process / "comm").read_text().strip()
                self._keep(f"arguments of {name}", (process / "cmdline").read_bytes())
                self._keep(f"environment of {name}", (process / "environ").read_bytes())
            except OSError:  # it ended
                continue
        for folder, _, files in os.walk(self.folder):
            for path in (Path(folder, name) for name in files):
                try:
                    if stat.S_ISREG(path.lstat().st_mode):
                        self._keep(f"/{path.relative_to(self.container.root)}", path.read_bytes())
                except OSError:  # replaced, or gone
                    continue

    def _keep(self, place: str, content: bytes) -> None:
        if content:
            self.contents.setdefault(place, set()).add(content)

    def run(self, interval: float) -> None:
        while not self._over.wait(interval):
            self.look()

    def end(self) -> None:
        self._over.set()


def _pid_namespace(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/pid").readlink())


@contextmanager
def passing(container: Container, folder: Path, interval: float = 0.1) -> Iterator[Passing]:
    """Look while the block runs, *interval* seconds between two looks."""
    seen = Passing(container, folder)
    thread = threading.Thread(target=seen.run, args=(interval,))
    thread.start()
    try:
        yield seen
    finally:
        seen.end()
        thread.join()
