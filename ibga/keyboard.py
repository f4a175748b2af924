"""What typing any Unicode character into a Java program takes: its keysym, and the JVM's environment.

Shared because the automator types and the gateway service starts the JVM.
"""

#: Set (not merely defaulted) in the environment of IBG's JVM.
#: Without a UTF-8 locale Xlib's lookup drops what the locale's charset lacks; an XIM server named by the
#: operator's desktop (XMODIFIERS) would sit between XTEST and IBG's fields.
JVM_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "XMODIFIERS": "@im=none"}


def keysyms_of(text: str) -> list[int]:
    """Return the X keysyms (X11 protocol, appendix A) that make a Java program see *text*.

    Latin-1 characters have their code point, others 0x01000000 + code point. Java keeps only 16 bits of
    the latter (measured, JDK 17 and 25), so what lies above U+FFFF goes as two keysyms, its surrogates.
    Raises ValueError on control characters.
    """
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    return [_keysym(unit) for unit in units]


def _keysym(unit: int) -> int:
    if unit < 0x20 or 0x7F <= unit < 0xA0:
        raise ValueError("a control character cannot be typed")
    return unit if unit < 0x100 else 0x01000000 + unit
