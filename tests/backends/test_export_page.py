"""The lines of docs/export.md, run on exported graphs, give what `FairMOT.detect` gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34 import FairMOT
from fairmot_dla34.architectures.peaks import OUTPUTS
from fairmot_dla34.backends.export import export

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTH, HEIGHT = 320, 192
IMAGE_SIZES = ((480, 360), (1920, 1080), (200, 400), (333, 77))  # padded at the sides, or at top and bottom


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)\n```", (DOCS / page).read_text("utf-8"), re.DOTALL)


def page_functions() -> tuple[Any, Any]:
    names: dict[str, Any] = {"np": np, "cv2": cv2}
    exec(blocks("export.md")[0], names)  # noqa: S102 (lines of this project's documentation)
    return names["letterbox"], names["decode"]


@pytest.fixture(scope="module")
def image(pets_video: Path) -> NDArray[np.uint8]:
    """Return a frame with people."""
    capture = cv2.VideoCapture(str(pets_video))
    for _ in range(60):
        _, frame = capture.read()
    return np.asarray(frame, np.uint8)


def test_both_pages_have_the_same_lines() -> None:
    assert blocks("export.md") == blocks("export.zh.md")
    lines = [line for line in blocks("export.md")[0].splitlines() if line.strip()]
    assert len(lines) <= 20


def test_the_table_has_every_output() -> None:
    for page in ("export.md", "export.zh.md"):
        rows = re.findall(r"^\| `(\w+)`", (DOCS / page).read_text("utf-8"), re.MULTILINE)
        assert rows == ["image", *OUTPUTS]


@pytest.mark.parametrize("weights", ["sample", "trained"])
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_the_lines_give_the_detections(
    weights: str, runtime: str, image: NDArray[np.uint8], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    name = str(request.getfixturevalue("real_weights")) if weights == "trained" else weights
    letterbox, decode = page_functions()
    with FairMOT(name, backend=runtime, precision="fp32", input_size=f"{WIDTH}x{HEIGHT}", progress=False) as model:
        run = runner(runtime, name, tmp_path)
        for size in IMAGE_SIZES:
            resized = cv2.resize(image, size)
            pixels, scale, padding = letterbox(resized, WIDTH, HEIGHT)
            boxes, scores, embeddings, classes = decode(*run(pixels), WIDTH, HEIGHT, scale, padding)
            expected = model.detect(np.asarray(resized, np.uint8), min_score=0.0)
            assert len(boxes) == len(expected)
            strong = expected.scores > 0.05
            if size != (333, 77):
                assert strong.sum() >= 2
            np.testing.assert_allclose(boxes[strong], expected.boxes[strong], atol=0.01)
            np.testing.assert_allclose(scores[strong], expected.scores[strong], atol=1e-4)
            assert expected.embeddings is not None
            np.testing.assert_allclose(embeddings[strong], expected.embeddings[strong], atol=1e-3)
            np.testing.assert_array_equal(classes, expected.class_ids)


def test_the_lines_with_onnx_runtime_run_as_they_are(
    image: NDArray[np.uint8], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: the page uses it")
    monkeypatch.chdir(tmp_path)
    export("sample", "onnx", "out")
    cv2.imwrite("street.jpg", image)
    functions, script = blocks("export.md")
    exec(f"import cv2\nimport numpy as np\n{functions}\n{script}", {})  # noqa: S102 (as above)
    assert capsys.readouterr().out.count("[") >= 3
    assert [path.name for path in Path("out").iterdir()] == ["sample_864x480.onnx"]


def runner(runtime: str, weights: str, folder: Path) -> Any:
    """Return a function from pixels to the outputs of an exported graph."""
    size = f"{WIDTH}x{HEIGHT}"
    if runtime == "onnxruntime":
        onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: it runs the ONNX graph")
        (path,) = export(weights, "onnx", folder, size)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return lambda pixels: session.run(list(OUTPUTS), {"image": pixels})
    import openvino

    xml, _ = export(weights, "openvino", folder, size)
    compiled = openvino.Core().compile_model(str(xml), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(pixels: NDArray[np.uint8]) -> Sequence[NDArray[Any]]:
        return list(compiled(pixels).values())

    return run
