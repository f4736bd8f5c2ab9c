"""The layers of the house: imports only downwards, and nothing impure above the line."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

import sendwatch

ROOT = Path(sendwatch.__file__).parent

LAYERS: tuple[frozenset[str], ...] = (
    frozenset(
        {"days", "events", "history", "json_outline", "law", "partitions", "parts", "pseudonyms", "reader", "text"}
    ),
    frozenset({"registry"}),
    frozenset({"dossier", "facts", "templates"}),
    frozenset({"verdict"}),
    frozenset({"example"}),
    frozenset({"rules"}),
    frozenset({"judge", "ledger", "outgoing", "policy", "windows"}),
)
"""The pure core, from below; a module imports what lies in its own layer or below it."""

CORE = frozenset[str]().union(*LAYERS)
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}

ALLOWED = frozenset(
    {
        "__future__",
        "array",
        "base64",
        "bisect",
        "collections",
        "datetime",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "importlib",
        "itertools",
        "json",
        "math",
        "operator",
        "pkgutil",
        "re",
        "string",
        "struct",
        "tomllib",
        "types",
        "typing",
        "unicodedata",
    }
)
"""Of the standard library, what neither waits nor looks at the world; `importlib` finds rules and package data."""

LIBRARIES = frozenset({"ahocorasick_rs", "msgspec", "numpy"})

READS_ITS_DATA = {"text/table.py", "text/train.py", "text/__main__.py"}
"""Tools beside the core that a person runs; nothing of the core may import them."""

RULE_FILE = re.compile(r"rules\.|windows\.b\d_")

CLOCKS = frozenset({"now", "today", "utcnow"})


def modules() -> dict[str, Path]:
    """Every module of the core by its dotted name; those that do not exist yet are left out."""
    found: dict[str, Path] = {}
    for name in CORE:
        if (ROOT / f"{name}.py").exists():
            found[name] = ROOT / f"{name}.py"
        for path in sorted((ROOT / name).rglob("*.py")):
            inner = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
            found[inner.removesuffix(".__init__")] = path
    return found


MODULES = {name: path for name, path in modules().items() if path.relative_to(ROOT).as_posix() not in READS_ITS_DATA}
each_module = pytest.mark.parametrize("module", sorted(MODULES))


@cache
def tree(module: str) -> ast.Module:
    """Its source."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(module: str) -> set[str]:
    """What it imports, to look at its types or to run: dotted names of modules, also of `from sendwatch import x`."""
    found = set[str]()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            name = str(node.module)
            inside = name == "sendwatch" or (ROOT / Path(*name.split(".")[1:])).is_dir()
            found |= {f"{name}.{alias.name}" for alias in node.names} if inside else {name}
    return found


def of_ours(module: str) -> set[str]:
    """The top names of our own modules that it imports to run; those for types alone are left out."""
    typing_only = {
        name
        for node in ast.walk(tree(module))
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
        if isinstance(inner, ast.ImportFrom)
        for name in {str(inner.module), *(f"{inner.module}.{alias.name}" for alias in inner.names)}
    }
    ours = {name for name in imports(module) - typing_only if name.startswith("sendwatch.")}
    return {name.split(".")[1] for name in ours} - {"__version__"}


def test_every_module_of_the_house_plan_is_looked_at() -> None:
    """The walk finds files, in folders too."""
    assert {"events", "judge", "rules.c1_consent_missing", "registry.letters", "law"} <= set(MODULES)


@each_module
def test_imports_go_only_downwards(module: str) -> None:
    """Types may be named from above, code may not be."""
    own = LEVEL[module.split(".", maxsplit=1)[0]]
    above = {name for name in of_ours(module) if LEVEL.get(name, len(LAYERS)) > own}
    assert not above


@each_module
def test_the_core_imports_nothing_of_the_shell(module: str) -> None:
    """Neither engine nor command line nor anything else below the line, not even for its types."""
    ours = {name.split(".")[1] for name in imports(module) if name.startswith("sendwatch.")}
    assert ours - {"__version__"} <= CORE


@each_module
def test_the_core_imports_no_library_that_waits_or_looks_at_the_world(module: str) -> None:
    """No Kafka, no clock, no file, no logging, no network, no randomness."""
    outside = {name.split(".")[0] for name in imports(module) if not name.startswith("sendwatch")}
    for name in outside - LIBRARIES:
        assert name in sys.stdlib_module_names, f"{name} is neither ours nor allowed"
        assert name in ALLOWED


@each_module
def test_the_core_waits_for_nothing_and_asks_no_clock(module: str) -> None:
    """No coroutine, no `datetime.now()`, no `open()`, no `print()`."""
    for node in ast.walk(tree(module)):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCKS
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input", "exec", "eval"}


@each_module
def test_only_law_and_text_read_the_data_of_the_package(module: str) -> None:
    """Their packs and word lists, once."""
    if {"importlib.resources", "tomllib"} & imports(module):
        assert module.split(".", maxsplit=1)[0] in {"law", "text"}


@each_module
def test_every_module_says_what_belongs_there_and_what_does_not(module: str) -> None:
    """In its docstring; a rule says what breaks it instead."""
    doc = ast.get_docstring(tree(module)) or ""
    assert doc
    if not (RULE_FILE.match(module) or module in {"text", "registry", "rules"}):
        assert re.search(r"\b[Hh]ere\b", doc)


@each_module
def test_a_module_can_be_read_in_one_sitting(module: str) -> None:
    """About 300 lines; functions of about 40."""
    size = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    assert size <= 330
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 50, node.name


SHELL = ("kafka", "engine", "worker", "aggregator", "desk", "app")
"""Around the core, from within; a folder imports from those before it, but for `engine`, which knows no Kafka."""


@pytest.mark.parametrize("name", SHELL)
def test_the_shell_is_in_layers_too(name: str) -> None:
    """What goes round a partition knows nothing of who owns it, and no process knows what starts it."""
    known = {"kafka": set(), "engine": {"engine"}}.get(name, set(SHELL[: SHELL.index(name)])) | {name}
    paths = [ROOT / f"{name}.py"] if (ROOT / f"{name}.py").exists() else sorted((ROOT / name).rglob("*.py"))
    assert paths
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sendwatch."):
                imported = node.module.split(".")[1]
                assert imported not in SHELL or imported in known, f"{path.relative_to(ROOT)} imports {node.module}"
