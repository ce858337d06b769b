"""Where in a line of a CSV a cell stands, for errors that point at it.

INVARIANT: columns count from 1, in characters of the line as written, as an editor counts them.
"""


def cell_column(line: str, cell: int) -> int:
    """The column of a cell's first character; 0 is the first cell. What is not there ends the line.

    Commas inside of brackets do not end a cell, as in casbin.
    """
    starts = [0]
    depth = 0
    if "(" not in line and "[" not in line:  # the usual line, many times over
        for text in line.split(",", cell + 1):
            starts.append(starts[-1] + len(text) + 1)
        del starts[-1]
        return _cell(line, starts, cell)
    for at, character in enumerate(line):
        if character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
        elif character == "," and depth <= 0:
            starts.append(at + 1)
    return _cell(line, starts, cell)


def _cell(line: str, starts: list[int], cell: int) -> int:
    if cell >= len(starts):
        return len(line.rstrip()) + 1
    start = starts[cell]
    end = starts[cell + 1] - 1 if cell + 1 < len(starts) else len(line)
    text = line[start:end]
    return start + len(text) - len(text.lstrip()) + 1
