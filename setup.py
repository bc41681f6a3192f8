import importlib.util
import platform
import re
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError, CompileError

ROOT = Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"$', (ROOT / "fairmot_dla34/__init__.py").read_text("utf-8"), re.MULTILINE)[1]

CORE = [
    "numpy>=1.23",
    "opencv-python>=4.5",
    "openvino>=2025.0",  # as in pyproject.toml: the compiled operator fits the release that it is built with
    "onnx>=1.15",  # opset 19
    "lap>=0.5.12",
    "av>=13",
    "requests>=2.28",
    "filelock>=3.12",
    "platformdirs>=3",
    "tqdm>=4.60",
]
# paddledet 2.6.0 and paddlepaddle 3.3.1 were tried together on Python 3.11 with these; newer ones break one or both.
PADDLE_PINS = [
    "paddledet==2.6.0",
    "numpy==1.23.5",
    "opencv-python==4.5.5.64",
    "onnx<1.18",
    "protobuf==3.20.3",
    "scikit-learn<1.5",  # paddledet imports it, but asks for the empty `sklearn` stub
    "scipy<1.12",
    "setuptools<81",  # pkg_resources
    "pandas<2.2",
]
PADDLE = ["paddlepaddle==3.3.1", *PADDLE_PINS]
PADDLE_GPU = ["paddlepaddle-gpu>=2.6", *PADDLE_PINS]
HUB = [
    *PADDLE,
    "paddlehub==2.4.0",
    "aistudio-sdk==0.2.6",
    "datasets<3",
    "fsspec<=2024.6.1",
    "gradio<5",
    "huggingface_hub<0.27",
    "paddlenlp==2.8.1",
    "pillow<11",
    "pyarrow<18",
    "pydantic<2.11",
]
ONNXRUNTIME = ["onnxruntime>=1.31; python_version >= '3.11'"]  # older ones lack DeformConv
EVAL = ["trackeval>=1.3; python_version >= '3.11'"]  # needs numpy >= 2.3: not in one environment with `paddle`
# 3.4 installs on Python 3.10 to 3.13; it needs numpy >= 1.24: not in one environment with `paddle`
QUANTIZE = ["nncf>=3.4"]
TEST = ["pytest>=8.2", "hypothesis>=6.100", "scipy>=1.9"]
DEV = [*TEST, "nox>=2024.4", "ruff==0.17.5", "mypy>=1.18", "types-tqdm", "types-requests"]

# The compiled operator: optional, for Linux on x86-64. It uses nothing of Python's, so that one wheel serves them all.
OPERATOR = "fairmot_dla34.backends.openvino.deformable.libfairmot_deformable"
SOURCES = "fairmot_dla34/backends/openvino/deformable"
_AVX2 = ["-mavx2", "-mfma"]
_AVX512 = [*_AVX2, "-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mprefer-vector-width=512"]
FLAGS = {  # each file is compiled for the processors that it is chosen on
    "operator.cpp": [],
    "portable.cpp": [],
    "avx2.cpp": _AVX2,
    "avx512.cpp": _AVX512,
    "avx512_bf16.cpp": [*_AVX512, "-mavx512bf16"],
}
COMMON_FLAGS = ["-std=c++17", "-O3", "-g0", "-Wall", "-Wextra", "-ffp-contract=fast", "-fvisibility=hidden"]
HAS_OPERATOR = sys.platform == "linux" and platform.machine() == "x86_64"


class BuildOperator(build_ext):
    """Build the operator against the installed OpenVINO; without a compiler, say so and go on."""

    def get_ext_filename(self, fullname: str) -> str:
        return "/".join(fullname.split(".")) + ".so"

    def build_extension(self, ext: Extension) -> None:
        library = Path(self.get_ext_fullpath(ext.name))
        library.unlink(missing_ok=True)  # of an earlier build, perhaps with another OpenVINO
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
        same_everywhere = f"-ffile-prefix-map={openvino}=openvino"  # no path of this machine in the library
        for name, flags in FLAGS.items():
            arguments = [*COMMON_FLAGS, *flags, same_everywhere, "-isystem", str(openvino / "include")]
            source = f"{SOURCES}/{name}"
            objects += self.compiler.compile([source], output_dir=self.build_temp, extra_postargs=arguments)
        libraries = [*(openvino / "libs").glob("libopenvino.so.*"), *(openvino / "libs").glob("libtbb.so.*")]
        library.parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_shared_object([*objects, *map(str, libraries)], str(library), target_lang="c++")


class Wheel(bdist_wheel):
    """For any Python, and for any machine where the operator was not built."""

    def get_tag(self) -> tuple[str, str, str]:
        build = self.get_finalized_command("build_ext")
        built = HAS_OPERATOR and Path(build.get_ext_fullpath(OPERATOR)).is_file()
        return "py3", "none", super().get_tag()[2] if built else "any"


setup(
    name="fairmot_dla34",
    version=VERSION,
    description="Multi-object tracking of people in video with FairMOT (DLA-34): fast on a plain CPU",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["fairmot_dla34", "fairmot_dla34.*"]),
    package_data={
        "fairmot_dla34": [
            *("py.typed", "requirements.txt", "weights/weights.json", "weights/sample.*"),
            *("backends/openvino/deformable/*.cpp", "backends/openvino/deformable/*.hpp"),
        ]
    },
    ext_modules=[Extension(OPERATOR, [f"{SOURCES}/{name}" for name in FLAGS], optional=True)] if HAS_OPERATOR else [],
    cmdclass={"build_ext": BuildOperator, "bdist_wheel": Wheel},
    install_requires=CORE,
    extras_require={
        "paddle": PADDLE,
        "paddle-gpu": PADDLE_GPU,
        "hub": HUB,
        "onnxruntime": ONNXRUNTIME,
        "eval": EVAL,
        "quantize": QUANTIZE,
        "test": TEST,
        "dev": DEV,
    },
    entry_points={"console_scripts": ["fairmot_dla34 = fairmot_dla34.commands.cli:main"]},
    keywords="multi-object tracking, FairMOT, DLA-34, MOT, re-identification, OpenVINO, PaddlePaddle, PaddleHub",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
)
