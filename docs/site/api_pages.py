"""The pages of the API reference: which object is on which, and the text of each."""

from __future__ import annotations

import importlib
import inspect
from collections import defaultdict
from typing import Any

import public

#: Pages of one module each, in the order of the menu: file name -> title, module.  Others follow below.
PAGES = {
    "models": ("Models", "pynn.models"),
    "losses": ("Losses", "pynn.losses"),
    "metrics": ("Metrics", "pynn.metrics"),
    "optimizers": ("Optimizers", "pynn.optimizers"),
    "schedules": ("Learning rate schedules", "pynn.optimizers.schedules"),
    "callbacks": ("Callbacks", "pynn.callbacks"),
    "initializers": ("Initializers", "pynn.initializers"),
    "regularizers": ("Regularizers", "pynn.regularizers"),
    "constraints": ("Constraints", "pynn.constraints"),
    "activations": ("Activations", "pynn.activations"),
    "autodiff": ("Gradients and compiled functions", "pynn.autodiff"),
    "random": ("Random numbers", "pynn.random"),
    "data": ("Pipelines", "pynn.data"),
    "datasets": ("Data sets", "pynn.datasets"),
    "applications": ("Known networks", "pynn.applications"),
    "preprocessing": ("Preprocessing", "pynn.preprocessing"),
    "saving": ("Saving and loading", "pynn.saving"),
    "utils": ("Tools", "pynn.utils"),
    "wrappers": ("scikit-learn", "pynn.wrappers"),
    "distribute": ("Several processes", "pynn.distribute"),
    "onnx": ("ONNX", "pynn.onnx"),
    "dtype_policies": ("Number types", "pynn.dtype_policies"),
    "config": ("Settings", "pynn.config"),
    "backend": ("Backend", "pynn.backend"),
    "tree": ("Nested structures", "pynn.tree"),
    "compat": ("Keras scripts", "pynn.compat"),
    "errors": ("Errors", "pynn.errors"),
    "pynn": ("Variables and graph objects", "pynn"),
}
#: The large families have a page for each kind; files of the package by page.  A new file must be put into one.
KINDS = {
    "pynn.layers": {
        "core": ("The base class, input, dense", (
            "layer input_layer input_spec dense einsum_dense embedding lambda_layer masking identity wrapper "
            "__init__")),
        "activation": ("Activations", "activation elu leaky_relu prelu relu softmax"),
        "convolution": ("Convolutions", "convolution transposed_convolution depthwise_convolution"),
        "pooling": ("Pooling", "pooling global_pooling"),
        "recurrent": ("Recurrent layers", (
            "rnn lstm gru simple_rnn stacked_rnn_cells conv_lstm bidirectional time_distributed")),
        "attention": ("Attention", "attention multi_head_attention grouped_query_attention"),
        "normalization": ("Normalization", (
            "batch_normalization layer_normalization group_normalization rms_normalization unit_normalization "
            "spectral_normalization")),
        "regularization": ("Dropout, noise, penalties", "dropout spatial_dropout noise activity_regularization"),
        "shapes": ("Shapes", "reshape flatten rearranging borders upsampling"),
        "merging": ("Merging", "merging dot"),
        "preprocessing": ("Preparing text, numbers, categories, sounds", (
            "normalization discretization category_encoding hashing lookup text_vectorization mel_spectrogram")),
        "images": ("Preparing and varying images", (
            "rescaling resizing random_colors random_filters random_patches random_places")),
    },
    "pynn.ops": {
        "math": ("Arithmetic and elementary functions", (
            "elementwise math comparison complex_numbers cumulative reduce")),
        "arrays": ("Making and arranging arrays", (
            "creation shape arrange pad indexing gather embedding selection host sorting")),
        "linear": ("Products and linear algebra", "matmul products einsum linear_algebra"),
        "networks": ("Neural networks", (
            "activations more_activations softmax conv conv_transpose depthwise pool adaptive_pool normalization "
            "layer_normalization attention recurrent ctc ctc_decode")),
        "images": ("Images", "images affine"),
        "control": ("Loops, gradients of one's own, randomness", "control custom_gradient random optimizer_step"),
    },
}  # fmt: skip
#: Where Keras has its ops a second time; the index says so once.
KERAS_HOMES = ("pynn.ops.numpy.", "pynn.ops.nn.", "pynn.ops.linalg.")
INTRODUCTION = (
    "Every public name with its arguments, errors and examples. The tests run all examples. Names, arguments and "
    "defaults are those of Keras 3. Ops are in `pynn.ops.numpy`, `pynn.ops.nn` and `pynn.ops.linalg`, too, as there."
)
HEADINGS = {"pynn.layers": ("layers", "Layers"), "pynn.ops": ("ops", "Ops")}


def pages() -> dict[str, str]:
    """The text of each page by its path under docs/."""
    by_page: dict[str, list[public.Public]] = defaultdict(list)
    for found in public.objects():
        by_page[_page_of(found)].append(found)
    titles = {f"api/{page}.md": title for page, (title, _) in PAGES.items() if by_page[f"api/{page}.md"]}
    intros = {f"api/{page}.md": module for page, (_, module) in PAGES.items()}
    for family, kinds in KINDS.items():
        folder, heading = HEADINGS[family]
        for kind, (title, _) in kinds.items():
            titles[f"api/{folder}/{kind}.md"] = f"{heading}: {title[0].lower()}{title[1:]}"
    result = {"api/index.md": _index(titles, by_page)}
    for path, title in titles.items():
        result[path] = _page(title, intros.get(path), by_page[path])
    return result


def navigation() -> list[Any]:
    """The menu of these pages, as MkDocs wants it."""
    written = pages()
    menu: list[Any] = ["docs/api/index.md"]
    for folder, heading in HEADINGS.values():
        menu.append({heading: [f"docs/{path}" for path in written if path.startswith(f"api/{folder}/")]})
    return [*menu, *(f"docs/api/{page}.md" for page in PAGES if f"api/{page}.md" in written)]


def _page_of(found: public.Public) -> str:
    for family, kinds in KINDS.items():
        if found.module == family or found.module.startswith(f"{family}."):
            file = found.value.__module__.removeprefix(family).lstrip(".") or "__init__"
            for kind, (_, files) in kinds.items():
                if file in files.split():
                    return f"api/{HEADINGS[family][0]}/{kind}.md"
            raise ValueError(f"{found.defined} is on no page of the API: name its file in KINDS of {__file__}")
    homes = {module: page for page, (_, module) in PAGES.items()}
    module = found.module
    while module not in homes or (module == "pynn" and found.module != "pynn"):
        if not module:
            raise ValueError(f"{found.names[0]} is on no page of the API: name its module in PAGES of {__file__}")
        module = module.rpartition(".")[0]
    return f"api/{homes[module]}.md"


def _index(titles: dict[str, str], by_page: dict[str, list[public.Public]]) -> str:
    lines = ["# API reference", "", INTRODUCTION, ""]
    for path, title in titles.items():
        names = [f"[`{found.names[0].rpartition('.')[2]}`][{found.names[0]}]" for found in _sorted(by_page[path])]
        lines += [f"## [{title}]({path.removeprefix('api/')})", "", ", ".join(names), ""]
    return "\n".join(lines)


def _page(title: str, module: str | None, objects: list[public.Public]) -> str:
    lines = [f"# {title}", ""]
    if module:
        lines += [f"`{module}`: " + (inspect.getdoc(importlib.import_module(module)) or "").split("\n\n")[0], ""]
    for found in _sorted(objects):
        lines += [f'<a id="{name}"></a>' for name in found.names[1:]]
        lines += [f"[](){{ #{name} }}" for name in found.names if name != found.defined]
        options = f'    options: {{heading: "{found.names[0]}", toc_label: "{_short(found)}"}}'
        lines += ["", f"::: {found.defined}", options, ""]
        others = [name for name in found.names[1:] if not name.startswith(KERAS_HOMES)]
        if others:
            lines += ["Also " + ", ".join(f"`{name}`" for name in others) + ".", "{ .also }", ""]
    return "\n".join(lines)


def _sorted(objects: list[public.Public]) -> list[public.Public]:
    """Classes first, each in the order of the alphabet, base classes at the top."""
    return sorted(objects, key=lambda found: (not inspect.isclass(found.value), _short(found).lower(), found.names[0]))


def _short(found: public.Public) -> str:
    return found.names[0].rpartition(".")[2]
