"""Build the compiled operator for deformable convolutions; pyproject.toml has everything else."""

import hashlib
import importlib.util
import platform
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError, CompileError

# Optional, for Linux on x86-64. The operator uses nothing of Python's, so one wheel serves every Python version.
OPERATOR = "fairmot_dla34.backends.openvino.deformable.libfairmot_deformable"
SOURCES = "fairmot_dla34/backends/openvino/deformable"
_AVX2 = ["-mavx2", "-mfma"]
_AVX512 = [*_AVX2, "-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mprefer-vector-width=512"]
FLAGS = {  # each file is compiled for the processors on which it is chosen
    "operator.cpp": [],
    "portable.cpp": [],
    "avx2.cpp": _AVX2,
    "avx512.cpp": _AVX512,
    "avx512_bf16.cpp": [*_AVX512, "-mavx512bf16"],
}
COMMON_FLAGS = ["-std=c++17", "-O3", "-g0", "-Wall", "-Wextra", "-ffp-contract=fast", "-fvisibility=hidden"]
HAS_OPERATOR = sys.platform == "linux" and platform.machine() == "x86_64"


def sources_digest() -> str:
    """Return the SHA-256 of the sources, as the package computes it (`deformable/library.py`)."""
    digest = hashlib.sha256()
    for path in sorted([*Path(SOURCES).glob("*.cpp"), *Path(SOURCES).glob("*.hpp")]):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    return digest.hexdigest()


class BuildOperator(build_ext):
    """Build the operator against the installed OpenVINO; without a compiler, warn and continue."""

    def get_ext_filename(self, fullname: str) -> str:
        return "/".join(fullname.split(".")) + ".so"

    def build_extension(self, ext: Extension) -> None:
        library = Path(self.get_ext_fullpath(ext.name))
        library.unlink(missing_ok=True)  # an earlier build may be linked to another OpenVINO
        try:
            self._build(library)
        except (BaseError, CCompilerError, OSError) as error:
            self.warn(
                f"the compiled operator for deformable convolutions was not built ({error}); the package works without "
                "it, more slowly"
            )

    def _build(self, library: Path) -> None:
        spec = importlib.util.find_spec("openvino")
        if spec is None:
            raise CompileError("openvino is not installed where the package is built")
        openvino = Path(spec.submodule_search_locations[0])
        objects = []
        hide_local_path = f"-ffile-prefix-map={openvino}=openvino"  # no path of the build machine in the library
        digest = f'-DFAIRMOT_SOURCES="{sources_digest()}"'
        for name, flags in FLAGS.items():
            arguments = [*COMMON_FLAGS, *flags, digest, hide_local_path, "-isystem", str(openvino / "include")]
            source = f"{SOURCES}/{name}"
            objects += self.compiler.compile([source], output_dir=self.build_temp, extra_postargs=arguments)
        libraries = [*(openvino / "libs").glob("libopenvino.so.*"), *(openvino / "libs").glob("libtbb.so.*")]
        library.parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_shared_object([*objects, *map(str, libraries)], str(library), target_lang="c++")


class Wheel(bdist_wheel):
    """Tag the wheel for every Python version, and for every platform if the operator was not built."""

    def get_tag(self) -> tuple[str, str, str]:
        build = self.get_finalized_command("build_ext")
        built = HAS_OPERATOR and Path(build.get_ext_fullpath(OPERATOR)).is_file()
        return "py3", "none", super().get_tag()[2] if built else "any"


setup(
    ext_modules=[Extension(OPERATOR, [f"{SOURCES}/{name}" for name in FLAGS], optional=True)] if HAS_OPERATOR else [],
    cmdclass={"build_ext": BuildOperator, "bdist_wheel": Wheel},
)
