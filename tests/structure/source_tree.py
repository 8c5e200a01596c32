"""The tree of sources as the structure tests see it."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SRC = ROOT / "src"
PACKAGE = SRC / "watchgate"
TESTS = ROOT / "tests"


@dataclass(frozen=True, slots=True)
class Module:
    """One source file."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def where(self) -> str:
        """Its path from the root, for messages."""
        return str(self.path.relative_to(ROOT))

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def imports(self, *, lazy: bool = True) -> set[str]:
        """The modules that it imports, also inside functions unless not *lazy*; no type-only ones."""
        found: set[str] = set()
        _collect(self.tree.body, found, lazy=lazy)
        return found


def _collect(body: list[ast.stmt], found: set[str], *, lazy: bool) -> None:
    for node in body:
        match node:
            case ast.Import(names=names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                # `from watchgate.catalog import journal` may name a module: both are said.
                found.add(module)
                found.update(f"{module}.{alias.name}" for alias in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not lazy:
                continue
            case _:
                for name in ("body", "orelse", "finalbody", "handlers"):
                    inner = getattr(node, name, [])
                    _collect([n for n in inner if isinstance(n, ast.stmt)], found, lazy=lazy)
                    for handler in inner:
                        if isinstance(handler, ast.ExceptHandler):
                            _collect(handler.body, found, lazy=lazy)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return _parsed(PACKAGE, SRC, "*.py")


@cache
def files_of_tests() -> tuple[Module, ...]:
    """Every file of tests."""
    return _parsed(TESTS, ROOT, "test_*.py")


def _parsed(folder: Path, root: Path, pattern: str) -> tuple[Module, ...]:
    found = []
    for path in sorted(folder.rglob(pattern)):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found.append(Module(name, path, text, ast.parse(text)))
    return tuple(found)


@cache
def tracked() -> tuple[Path, ...]:
    """The files that belong to the project: what git has or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(path for path in paths if path.is_file())
