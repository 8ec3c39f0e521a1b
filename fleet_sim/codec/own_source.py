"""The file of a head of a user's own, read without running it."""

import ast
from pathlib import Path

from fleet_sim.basics.errors import UserError, instead


def read_source(path: Path, class_name: str) -> str:
    """The text of a file that defines this class; UserError where it does not. Nothing of it is run."""
    try:
        source = path.read_text(encoding="utf-8")
        classes = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{path}: is not Python: {error}") from None
    if class_name not in classes:
        what = instead(class_name, classes) if classes else "there is no class in it"
        raise UserError(f"{path}: has no class {class_name}; {what}")
    return source
