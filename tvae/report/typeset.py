"""How a number is written on a page."""

from __future__ import annotations


def number(value: float, spec: str) -> str:
    """A number in a format such as ".1%", with a minus sign instead of a hyphen; what is rounded to 0 has no sign."""
    text = format(value, spec)
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.strip("+-")
