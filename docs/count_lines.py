"""Counts the lines of code of the package, by room: without docstrings, comments and blank lines.

python docs/count_lines.py
"""

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "attseg"
LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(text: str) -> int:
    """Number of lines of a module that hold code."""
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def main() -> None:
    """Print a line a room, and the total."""
    lines, files = Counter(), Counter()
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).parts
        room = f"{parts[0]}/" if len(parts) > 1 else "(top)"
        lines[room] += code_lines(path.read_text(encoding="utf-8"))
        files[room] += 1
    for room, count in lines.most_common():
        print(f"{room:<14}{count:>7,} lines{files[room]:>5} files")
    print(f"{'in all':<14}{lines.total():>7,} lines{files.total():>5} files")


if __name__ == "__main__":
    main()
