"""The programs of tools/ as modules, which no package holds."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

TOOLS = Path(__file__).parent.parent / "tools"
sys.path.append(str(TOOLS))  # as when one of them is run: they import each other


def load_tool(name: str) -> ModuleType:
    """Load `tools/NAME.py`."""
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # data classes and pickle look it up
    spec.loader.exec_module(module)
    return module
