"""Files made to harm: each of the ways in that model files of other libraries had."""

import contextlib
import json
import os
import stat
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.errors import PynnError
from pynn.saving.errors import WeightsFileError

h5py = pytest.importorskip("h5py")


def network():
    return keras.Sequential([keras.Input((4,)), layers.Dense(5), layers.Dense(3)])


@pytest.fixture
def parts(tmp_path):
    """The members of a good file."""
    network().save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, members):
    """A ``.keras`` file of ``(name or ZipInfo, content)``."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return path


def refused(path, match, error=PynnError, **options):
    with pytest.raises(error, match=match):
        keras.saving.load_model(path, **options)


# ---- configs -----------------------------------------------------------------------------------------------------


def with_config(path, parts, change):
    config = json.loads(parts["config.json"])
    change(config)
    return packed(path, {**parts, "config.json": json.dumps(config)})


@pytest.mark.parametrize(
    "entry",
    [
        {"module": "os", "class_name": "system", "config": {"command": "false"}, "registered_name": None},
        {"module": "builtins", "class_name": "exec", "config": {}, "registered_name": "exec"},
        {"module": "keras.src.utils.file_utils", "class_name": "get_file", "config": {}, "registered_name": None},
        {"module": "pynn.saving.atomic", "class_name": "Path", "config": {}, "registered_name": None},
        {"module": "subprocess", "class_name": "function", "config": "run", "registered_name": "function"},
        {"module": "numpy", "class_name": "function", "config": "load", "registered_name": "function"},
    ],
)
def test_configs_name_nothing_else(tmp_path, parts, entry):
    """In place of a layer, and of an activation."""

    def layer(config):
        config["config"]["layers"][1] = entry

    def activation(config):
        config["config"]["layers"][1]["config"]["activation"] = entry

    for change in (layer, activation):
        refused(with_config(tmp_path / "m.keras", parts, change), "cannot locate|unknown|cannot make")


def test_safe_mode_cannot_be_set_by_a_file(tmp_path, parts):
    def change(config):
        config["safe_mode"] = False
        config["config"]["safe_mode"] = False
        config["config"]["layers"][1]["safe_mode"] = False
        code = {"code": "4wAA", "defaults": None, "closure": None}
        config["config"]["layers"][1]["config"]["activation"] = {"class_name": "__lambda__", "config": code}

    refused(with_config(tmp_path / "m.keras", parts, change), "safe_mode=False")


@pytest.mark.parametrize("units", [10**12, 2**62, -1, 1.5, "5", None, [5]])
def test_sizes_of_layers(tmp_path, parts, units):
    """Refused before memory is asked for."""

    def change(config):
        config["config"]["layers"][1]["config"]["units"] = units

    refused(with_config(tmp_path / "m.keras", parts, change), "units|would take")


def test_sums_of_sizes(tmp_path, parts):
    """Each layer could be, all of them together not."""

    def change(config):
        stack = config["config"]["layers"]
        for i in range(8):
            layer = json.loads(json.dumps(stack[1]))
            layer["config"].update(name=f"d{i}", units=4000)
            del layer["build_config"]
            stack.append(layer)

    refused(with_config(tmp_path / "m.keras", parts, change), "would take .* bytes, more than the file")


def test_long_deep_and_ambiguous_configs(tmp_path, parts):
    path = tmp_path / "m.keras"
    refused(packed(path, {**parts, "config.json": "[" * 100_000}), "no readable JSON")
    deep = '{"class_name": "Sequential", "module": "keras", "config": ' + "[" * 900 + "]" * 900 + "}"
    refused(packed(path, {**parts, "config.json": deep}), "must be a dictionary|nested")
    refused(packed(path, {**parts, "config.json": '{"a": 1, "a": 2}'}), "gives a key twice")
    refused(packed(path, {**parts, "config.json": b"\xff\xfe\x00"}), "no readable JSON")
    layer = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}, "registered_name": None}
    refused(packed(path, {**parts, "config.json": json.dumps(layer)}), "no model")


def test_calls_that_go_round(tmp_path):
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(4, name="b")(layers.Dense(4, name="a")(x)))
    config = model.get_config()
    text = json.dumps(config).replace('"keras_history": ["x", 0, 0]', '"keras_history": ["b", 0, 0]')
    with pytest.raises(ValueError, match="from each other"):
        keras.Model.from_config(json.loads(text))
    text = json.dumps(config).replace('"keras_history": ["x", 0, 0]', '"keras_history": ["c", 0, 0]')
    with pytest.raises(ValueError, match="unknown layer 'c'"):
        keras.Model.from_config(json.loads(text))
    text = json.dumps(config).replace('"keras_history": ["x", 0, 0]', '"keras_history": ["x", 0, 7]')
    with pytest.raises(ValueError, match="output 7"):
        keras.Model.from_config(json.loads(text))


# ---- archives ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a\\..\\out", "C:/out"])
def test_paths_of_members(tmp_path, parts, name):
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name  # ZipInfo would tidy it up
    refused(packed(tmp_path / "m.keras", [*parts.items(), (info, b"x")]), "refused", WeightsFileError)
    assert not (tmp_path.parent / "out").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_twice_links_and_secrets(tmp_path, parts):
    path = tmp_path / "m.keras"
    refused(packed(path, [*parts.items(), ("config.json", b"{}")]), "is there twice; refused", WeightsFileError)
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(packed(path, [*parts.items(), (link, b"/etc/passwd")]), "symbolic link; refused", WeightsFileError)
    content = bytearray(packed(path, parts).read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1  # the bit that says it is encrypted, in the directory
    path.write_bytes(bytes(content))
    refused(path, "is encrypted; refused", WeightsFileError)


def test_members_that_grow(tmp_path, parts):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", parts["config.json"])
        archive.writestr("model.weights.h5", b"\0" * 200_000_000)
    assert path.stat().st_size < 10**6
    refused(path, "bytes.*refused", WeightsFileError)


# ---- HDF5 --------------------------------------------------------------------------------------------------------


def weights_file(path, fill):
    with h5py.File(path, "w") as file:
        for layer, shape in (("dense", (4, 5)), ("dense_1", (5, 3))):
            file[f"layers/{layer}/vars/0"] = np.zeros(shape, "float32")
            file[f"layers/{layer}/vars/1"] = np.zeros(shape[1:], "float32")
        fill(file)
    return path


KERNEL = "layers/dense/vars/0"


def external_storage(file):
    del file[KERNEL]
    file.create_dataset(KERNEL, (4, 5), "float32", external=[("/etc/passwd", 0, 80)])


def virtual(file):
    del file[KERNEL]
    layout = h5py.VirtualLayout((4, 5), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4, 5))
    file.create_virtual_dataset(KERNEL, layout)


def words(file):
    del file[KERNEL]
    file.create_dataset(KERNEL, (4, 5), h5py.string_dtype())


def references(file):
    del file[KERNEL]
    file.create_dataset(KERNEL, (4, 5), h5py.ref_dtype)


def huge(file):
    del file[KERNEL]
    file.create_dataset(KERNEL, (2**40, 2**20), "float32", chunks=(1024, 1024), compression="gzip")


def no_space(file):
    del file[KERNEL]
    file[KERNEL] = h5py.Empty("float32")


@pytest.mark.parametrize("fill", [external_storage, virtual, words, references, huge, no_space])
def test_data_sets_that_are_not_plain_numbers_of_the_file(tmp_path, fill):
    model = network()
    before = model.get_weights()
    with pytest.raises(PynnError, match=r"refused|expected numbers|belongs to another model"):
        model.load_weights(weights_file(tmp_path / "w.weights.h5", fill))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_cycles(tmp_path):
    def fill(file):
        file["layers/again"] = file["layers"]  # a hard link to its own parent
        del file["layers/dense/vars"]
        file["layers/dense/vars"] = file["layers"]

    with pytest.raises(PynnError, match=r"belongs to another model|has nothing"):
        network().load_weights(weights_file(tmp_path / "w.weights.h5", fill))


def legacy(tmp_path, fill):
    network().save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        fill(file)
    return tmp_path / "m.h5"


def test_files_of_the_older_format(tmp_path):
    def linked(file):
        group = file["model_weights"]
        name = next(iter(group.attrs["layer_names"])).decode()
        del group[name]
        group[name] = h5py.ExternalLink("other.h5", "/")

    refused(legacy(tmp_path, linked), "is a link to elsewhere; refused", WeightsFileError)

    def stolen(file):
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][1] = {"class_name": "function", "config": "system", "module": "os"}
        file.attrs["model_config"] = json.dumps(config)

    refused(legacy(tmp_path, stolen), "cannot locate the function 'system'")

    def code(file):
        config = json.loads(file.attrs["model_config"])
        value = ["4wAA", None, None]
        config["config"]["layers"][1]["config"]["activation"] = {"class_name": "__lambda__", "config": {"value": value}}
        file.attrs["model_config"] = json.dumps(config)

    refused(legacy(tmp_path, code), "safe_mode=False")
    old = {"class_name": "Lambda", "config": {"name": "l", "function": ["4wAA", None, None], "function_type": "lambda"}}

    def old_code(file):
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"].append(old)
        file.attrs["model_config"] = json.dumps(config)

    refused(legacy(tmp_path, old_code), "lambda|function", (PynnError, TypeError))


# ---- npz, safetensors --------------------------------------------------------------------------------------------


def test_a_header_of_an_npy_that_is_a_program(tmp_path):
    """NumPy's old headers are evaluated as Python literals, never as code; long ones not at all."""
    path = tmp_path / "w.npz"
    for header in (b"{'descr': '<f4', 'fortran_order': __import__('os').abort(), 'shape': (4, 5)}", b"{" * 60_000):
        member = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("layers/dense/vars/0.npy", member)
            archive.writestr("layers/dense/vars/1.npy", member)
        with pytest.raises(PynnError, match="is not a readable"):
            network().load_weights(path)


GOOD = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


@pytest.mark.parametrize(
    ("header", "size", "message"),
    [
        (b"{", 0, "no JSON"),
        (b"[]", 0, "no dictionary|not a readable"),
        (b'{"a": 1, "a": 2}', 0, "gives a name twice"),
        ({"a": {**GOOD["a"], "dtype": "P64"}}, 8, "unknown dtype"),
        ({"a": {**GOOD["a"], "shape": [3]}}, 8, "does not fit"),
        ({"a": {**GOOD["a"], "shape": [-2]}}, 8, "does not fit"),
        ({"a": {**GOOD["a"], "shape": [2.0]}}, 8, "does not fit"),
        ({"a": {**GOOD["a"], "shape": [2**62, 4]}}, 8, "does not fit"),
        ({"a": {**GOOD["a"], "data_offsets": [8, 16]}}, 8, "does not fit"),
        ({**GOOD, "b": GOOD["a"]}, 8, "overlap or leave holes"),
        ({"a": {**GOOD["a"], "data_offsets": [4, 12]}}, 12, "overlap or leave holes"),
        (GOOD, 12, "end at 8, the file at 12"),
        (GOOD, 4, "does not fit"),
    ],
)
def test_safetensors_headers(tmp_path, header, size, message):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * size)
    with pytest.raises(WeightsFileError, match=message):
        network().load_weights(path)


def test_a_safetensors_header_longer_than_the_file(tmp_path):
    path = tmp_path / "w.safetensors"
    for length in (2**63, 10**9, 30):
        path.write_bytes(struct.pack("<Q", length) + b"{}" + b" " * 10)
        with pytest.raises(WeightsFileError, match="header is said to have"):
            network().load_weights(path)


def test_the_safetensors_package_reads_ours_and_we_its(tmp_path):
    package = pytest.importorskip("safetensors.numpy")
    model, other = network(), network()
    model.save_weights(tmp_path / "w.safetensors")
    arrays = package.load_file(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(arrays["layers/dense_1/vars/0"], model.get_weights()[2])
    package.save_file(arrays, tmp_path / "theirs.safetensors")
    other.load_weights(tmp_path / "theirs.safetensors")
    np.testing.assert_array_equal(other.get_weights()[2], model.get_weights()[2])


# ---- all of them -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5", "w.safetensors", "w.npz"])
def test_random_damage(tmp_path, name):
    """Whatever bytes change, it is an error of ours or a model; never another exception."""
    path, model = tmp_path / name, network()
    (model.save if name[0] == "m" else model.save_weights)(path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        content = bytearray(whole)
        for at in rng.integers(0, len(content), 3):
            content[at] = rng.integers(256)
        path.write_bytes(bytes(content[: rng.integers(len(content) // 2, len(content) + 1)]))
        with contextlib.suppress(PynnError):
            keras.saving.load_model(path) if name[0] == "m" else network().load_weights(path)


def test_nothing_is_imported_and_nothing_written(tmp_path, parts):
    """A module of a name in the file lies in the current folder: it must stay where it is."""
    (tmp_path / "evil.py").write_text("open('was_here', 'w')")
    entry = {"module": "evil", "class_name": "Evil", "config": {}, "registered_name": "Evil"}
    path = with_config(tmp_path / "m.keras", parts, lambda config: config["config"]["layers"].append(entry))
    code = f"import pynn\ntry: pynn.saving.load_model({str(path)!r})\nexcept TypeError as e: print(e)"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    assert "cannot locate the class 'Evil'" in run.stdout, run.stderr
    assert not (tmp_path / "was_here").exists()
