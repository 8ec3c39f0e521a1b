"""What a result was computed on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def processor() -> str:
    """The processor's name, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def machine(device: str) -> dict[str, str | int]:
    """Processor, cores, device of the networks, and the versions that a digest depends on."""
    libraries = ("torch", "numpy", "numba", "constriction", "pywavelets", "scikit-learn", "ray")
    return {
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "device": device,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }
