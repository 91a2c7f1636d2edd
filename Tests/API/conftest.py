"""What these tests share with those of the browser: the program, a server of their own, the closing line."""
import importlib.util
import pathlib
import sys

BROWSER = pathlib.Path(__file__).resolve().parents[1] / "Browser"
sys.path.insert(0, str(BROWSER))
_specification = importlib.util.spec_from_file_location("serving", BROWSER / "conftest.py")
_serving = importlib.util.module_from_spec(_specification)
sys.modules["serving"] = _serving
_specification.loader.exec_module(_serving)

BINARY, ROOT = _serving.BINARY, _serving.ROOT
server = _serving.server
shop = _serving.shop
pytest_unconfigure = _serving.pytest_unconfigure
