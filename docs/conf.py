"""Sphinx configuration: the guides, and an API reference generated from the docstrings.

The source folder is the root of the repository, so that links between README.md and docs/ work in both places.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # document this working tree, installed or not
package = import_module("fairmot_dla34")

project = "fairmot_dla34"
author = "The fairmot_dla34 contributors"
version = release = package.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "docs/*.rst", "docs/api/*.rst", "docs/notebooks/*.ipynb"]
include_patterns += ["fairmot_dla34/weights/sample.md"]
exclude_patterns = [".*", "build", "dist", "docs/_build"]

html_theme = "furo"
html_title = f"fairmot_dla34 {release}"

myst_heading_anchors = 4  # links such as `page.md#section`
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "off"  # notebooks are committed with their outputs; the nox session `notebook` runs them

# Docstrings mark code and names alike with single backticks. A name that is documented becomes a link, the rest code.
default_role = "py:obj"
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    (r"py:.*", r"(?!fairmot_dla34)\w+(\.\w+)*"),  # names of other projects: no connection is needed to build
    (r"py:class", r"fairmot_dla34\.closing\.\w+"),  # internal, though a base class of public ones
    (r"py:class", r"fairmot_dla34\.tracking\.detector\.\w+"),  # internal, though in the signature of Session
    # Internal, though in the signatures of Dataset and prepare.
    (r"py:class", r"fairmot_dla34\.datasets\.(prepared|preparation|formats)\.\w+\.\w+"),
    # Internal, though in the signatures of Analysis, OutputOptions and Session.
    (r"py:class", r"fairmot_dla34\.analytics\.(live|observation|polygons)\.\w+"),
    (r"py:class", r"fairmot_dla34\.outputs\.(anonymisation|cover_plan|run_analysis|window)\.\w+"),
    (r"py:class", r"dict\[str"),  # napoleon divides a type at its comma
    (r"py:class", r"fairmot_dla34\.datasets\.image_table\.\w+"),  # internal, though in the signature of Dataset
    (r"py:class", r"tuple\[str"),  # a signature with a default factory, which Sphinx divides at its commas
]
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
autodoc_preserve_defaults = True

PUBLIC_MODULES = (
    "fairmot_dla34",
    *(
        f"fairmot_dla34.{name}"
        for name in ("architectures", "association", "backends", "datasets", "detections", "errors", "interop")
    ),
    *(
        f"fairmot_dla34.{name}"
        for name in ("evaluation", "outputs", "quantization", "synth", "training", "video", "weights")
    ),
)


def prepare_docstring(_app: Sphinx, what: str, _name: str, _value: object, _options: object, lines: list[str]) -> None:
    """Adapt a docstring to Sphinx, before napoleon reads it."""
    text = "\n".join(lines)
    # napoleon takes the text before a colon in the first line of a section or attribute for a type; an empty comment is
    # a first line without a colon.
    text = re.sub(r"^(Returns|Yields):\n( +)", r"\1:\n\2..\n\n\2", text, flags=re.MULTILINE)
    if what in {"attribute", "data", "property"}:
        text = f"..\n\n{text}"
    paragraphs = text.split("\n\n")
    for number, paragraph in enumerate(paragraphs):
        if re.search("[├└│]", paragraph):  # a drawing, such as the tree of errors
            paragraphs[number] = "::\n\n" + re.sub("^", "    ", paragraph, flags=re.MULTILINE)
    lines[:] = "\n\n".join(paragraphs).split("\n")


def check_public_names(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Warn about every public name that the reference lacks; the build turns warnings into errors."""
    documented = {name for name, *_ in env.domains.python_domain.get_objects()}
    for module in map(import_module, PUBLIC_MODULES):
        for name in module.__all__:
            value = getattr(module, name)
            home = f"{getattr(value, '__module__', None)}.{name}"  # a name of two packages is described in one of them
            if not {f"{module.__name__}.{name}", home} & documented:
                logging.getLogger(__name__).warning("%s.%s is not in the API reference", module.__name__, name)
    return []


def write_start_page(app: Sphinx, error: Exception | None) -> None:
    """Forward from the top of the site to its first page, which has the path of its source."""
    if error is None and app.builder.name == "html":
        page = f'<!doctype html><meta http-equiv="refresh" content="0; url={root_doc}.html">\n'
        (Path(app.outdir) / "index.html").write_text(page, "utf-8")


def setup(app: Sphinx) -> None:
    """Register the handlers above."""
    app.connect("autodoc-process-docstring", prepare_docstring, priority=400)
    app.connect("env-check-consistency", check_public_names)
    app.connect("build-finished", write_start_page)
