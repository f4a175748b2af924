"""What typing any Unicode character into a Java program takes: its keysym, and the JVM's environment.

Shared because the automator types and the gateway service starts the JVM.
"""

#: Set (not merely defaulted) in the environment of IBG's JVM.
#: Without a UTF-8 locale Xlib's lookup drops what the locale's charset lacks; an XIM server named by the
#: operator's desktop (XMODIFIERS) would sit between XTEST and IBG's fields.
JVM_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "XMODIFIERS": "@im=none"}


def keysym_of(character: str) -> int:
    """Return the X keysym of one printable *character* (X11 protocol, appendix A).

    Latin-1 characters have their code point, all others 0x01000000 + code point.
    """
    code = ord(character)
    if 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xFF:
        return code
    if code < 0x100:
        raise ValueError("a control character cannot be typed")
    return 0x01000000 + code
