"""Text that can't drive a terminal."""


def printable(text: str) -> str:
    """Replace what could drive a terminal."""
    return "".join(char if char.isprintable() else "�" for char in text)
