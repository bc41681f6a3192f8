import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"$', (ROOT / "fairmot_dla34/__init__.py").read_text("utf-8"), re.MULTILINE)[1]

CORE = [
    "numpy>=1.23",
    "opencv-python>=4.5",
    "openvino>=2025.0",
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
    package_data={"fairmot_dla34": ["py.typed", "requirements.txt", "weights/weights.json", "weights/sample.*"]},
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
    entry_points={"console_scripts": ["fairmot_dla34 = fairmot_dla34.cli:main"]},
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
