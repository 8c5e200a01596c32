"""Tests with real clients and real servers.

`bench` lies beside `tests`, and the same sshd serves both; pytest puts only the tests' own folder on the path.
"""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.append(ROOT)
