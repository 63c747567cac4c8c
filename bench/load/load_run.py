"""bench/load/run as a module: its engine and its registration serve the other benches too."""
import importlib.machinery
import importlib.util
import pathlib

_PATH = pathlib.Path(__file__).resolve().with_name("run")


def load_run():
    loader = importlib.machinery.SourceFileLoader("load_run_command", str(_PATH))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("load_run_command", loader))
    loader.exec_module(module)
    return module
