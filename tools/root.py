"""Where things are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
OPENAPI = ROOT / "cloud" / "openapi.json"
WEB = ROOT / "web"
