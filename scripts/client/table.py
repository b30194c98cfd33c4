"""Plain text tables for terminals."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their longest cell; cells that are numbers stand on the right.

    >>> print(table(["face", "age"], [["0", "31"], ["1", "7"]]))
    face  age
       0   31
       1    7
    """
    columns = list(zip(header, *rows, strict=True))
    numeric = [all(_is_number(cell) for cell in column[1:]) for column in columns]
    widths = [max(len(cell) for cell in column) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in [header, *rows]
    ]
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    return cell.replace(" ", "").replace("%", "").replace(".", "").replace("±", "").lstrip("-").isdigit() or not cell
