"""Bytes as people read them: offset, hex, text."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH = 16
SHOWN = 4096


def hexdump(payload: bytes) -> SafeString:
    """The first 4 KB as offset, hex and printable ASCII; says how much is left out."""
    shown = payload[:SHOWN]
    lines = [_line(offset, shown[offset : offset + WIDTH]) for offset in range(0, len(shown), WIDTH)]
    rest = len(payload) - len(shown)
    more = format_html("<i>{}</i>", _("and %(count)d bytes more") % {"count": rest}) if rest else ""
    return format_html('<div class="hex">{}{}</div>', format_html_join("", "<i>{}</i>  {}  {}\n", lines), more)


def _line(offset: int, chunk: bytes) -> tuple[str, str, str]:
    printable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in chunk)
    return f"{offset:04x}", chunk.hex(" ").ljust(WIDTH * 3 - 1), printable


def as_text(payload: bytes) -> str | None:
    """The payload as text, if it is UTF-8 without control characters."""
    try:
        text = payload[:SHOWN].decode()
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character in "\r\n\t" for character in text) else None
