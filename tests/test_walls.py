"""The import walls: which room may know which. The design's floors, held by reading every import."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
FLOORS: tuple[tuple[str, ...], ...] = (
    ("basics",),
    ("camera", "codec", "data", "network", "control", "serving"),
    ("engine", "registry", "scenario"),
    ("cluster", "conformance", "report", "trainers"),
    ("backend",),
    ("run", "models", "sizing"),
    ("cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
TORCH = {"torch", "torchvision"}
WITHOUT_TORCH = {"camera", "network", "control", "serving", "conformance"}
WITH_RAY = ("fleet_sim.cluster", "trainers.job")

Modules = dict[str, set[str]]


def read_modules(root: Path) -> Modules:
    """Every module of the two packages under `root`, with the full names of all it imports, at any depth."""
    paths = [path for package in ("fleet_sim", "trainers") for path in sorted((root / package).rglob("*.py"))]
    return {module: imports(module, path) for path in paths if (module := module_name(root, path))}


def module_name(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: str, path: Path) -> set[str]:
    """Full names that `module` imports; for `from a import b` both a and a.b, as b may be a module."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {source} | {f"{source}.{alias.name}" for alias in node.names}
    return found


def room(name: str) -> str | None:
    """The room that a full name belongs to, None outside the house and for the bare package."""
    parts = name.split(".")
    if parts[0] == "trainers":
        return "trainers"
    return parts[1] if parts[0] == "fleet_sim" and len(parts) > 1 else None


def loaded(module: str, modules: Modules) -> set[str]:
    """All modules of the house that importing `module` loads, packages on the way included."""
    reached: set[str] = set()
    ahead = [module]
    while ahead:
        parts = ahead.pop().split(".")
        for name in (".".join(parts[: n + 1]) for n in range(len(parts))):
            if name in modules and name not in reached:
                reached.add(name)
                ahead += modules[name]
    return reached


def violations(modules: Modules) -> list[str]:
    """What breaks the walls, a sentence each."""
    return [*_floors(modules), *_torch(modules), *_ray(modules)]


def _floors(modules: Modules) -> list[str]:
    broken = []
    for module, names in modules.items():
        here = room(module)
        if here is not None and here not in FLOOR:
            broken.append(f"{module}: no floor is given for room '{here}'")
            continue
        # A name imported from the bare package is an attribute unless a room is called so.
        rooms = {there for name in names if (there := room(name)) in FLOOR and there != here}
        for there in sorted(rooms):
            if here is None:
                broken.append(f"{module} imports {there}: the package itself knows no room")
            elif FLOOR[there] >= FLOOR[here]:
                broken.append(f"{module} (floor {FLOOR[here]}) imports {there} (floor {FLOOR[there]})")
    return broken


def _torch(modules: Modules) -> list[str]:
    return [
        f"{module} loads torch through {through}"
        for module in modules
        if room(module) in WITHOUT_TORCH
        for through in sorted(loaded(module, modules))
        if TORCH & {name.split(".")[0] for name in modules[through]}
    ]


def _ray(modules: Modules) -> list[str]:
    return [
        f"{module} imports ray"
        for module, names in modules.items()
        if "ray" in {name.split(".")[0] for name in names}
        and not any(module == place or module.startswith(f"{place}.") for place in WITH_RAY)
    ]


def test_the_house_keeps_its_walls():
    modules = read_modules(REPOSITORY)
    assert {room(module) for module in modules} >= {"basics", "codec", "network", "trainers"}
    assert violations(modules) == []


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [
        (
            "fleet_sim/network/link.py",
            "from fleet_sim.engine import step",
            "(floor 1) imports engine (floor 2)",
        ),
        ("fleet_sim/network/link.py", "import fleet_sim.control.spec", "(floor 1) imports control (floor 1)"),
        ("fleet_sim/network/link.py", "def f():\n    from fleet_sim import cli", "imports cli (floor 6)"),
        ("fleet_sim/network/link.py", "from ..registry import store", "imports registry (floor 2)"),
        ("fleet_sim/report/view.py", "import trainers.losses", "(floor 3) imports trainers (floor 3)"),
        ("fleet_sim/run.py", "from fleet_sim.cli import main", "(floor 5) imports cli (floor 6)"),
        ("fleet_sim/__init__.py", "from fleet_sim.run import run", "the package itself knows no room"),
        ("fleet_sim/attic/box.py", "import json", "no floor is given for room 'attic'"),
        ("fleet_sim/network/link.py", "import torch.nn", "fleet_sim.network.link loads torch"),
        (
            "fleet_sim/basics/__init__.py",
            "from torch import nn",
            "fleet_sim.network.heap loads torch through",
        ),
        ("fleet_sim/engine/step.py", "import ray", "fleet_sim.engine.step imports ray"),
        ("trainers/losses.py", "from ray.train import report", "trainers.losses imports ray"),
    ],
)
def test_a_planted_breach_is_found(tmp_path, file, line, complaint):
    house = {
        "fleet_sim/__init__.py": "",
        "fleet_sim/basics/__init__.py": "",
        "fleet_sim/basics/units.py": "import re",
        "fleet_sim/network/heap.py": "from fleet_sim.basics.units import BitRate",
        "fleet_sim/codec/networks.py": "import torch",
        "fleet_sim/cluster/shard.py": "import ray\nfrom fleet_sim.engine import step",
        "trainers/job.py": "import ray\nfrom fleet_sim.codec import networks",
    }
    for path, text in house.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert violations(read_modules(tmp_path)) == []
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(line)
    assert any(complaint in breach for breach in violations(read_modules(tmp_path)))
