"""Python runs this as it starts, where PYTHONPATH holds this folder: marks in every process."""

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[3])
sys.path.insert(0, _ROOT)
try:
    from tests.marks import noting
finally:
    sys.path.remove(_ROOT)
noting.install()
