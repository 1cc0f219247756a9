"""The rules for files that somebody else made, each for every format that it concerns.

``test_hostile_files.py`` has more ways to break each; the fuzzer ``tests/fuzz/files.py`` looks for those nobody thought
of.
"""

import io
import json
import shutil
import stat
import tarfile
import zipfile

import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.errors import PynnError

h5py = pytest.importorskip("h5py")

CODE = {"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None, "closure": None}}
PROGRAM = {"module": "os", "class_name": "system", "config": {"command": "touch out"}, "registered_name": None}
STOLEN = {"module": "subprocess", "class_name": "function", "config": "run", "registered_name": "function"}


def network():
    return keras.Sequential([keras.Input((4,)), layers.Dense(5, name="a"), layers.Dense(3, name="b")])


# ---- formats of whole models: each loads a config that was changed --------------------------------------------------


def keras_file(folder, change):
    path = folder / "m.keras"
    network().save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**parts, "config.json": json.dumps(config)}.items():
            archive.writestr(name, content)
    return path


def as_keras(folder, change):
    keras.saving.load_model(keras_file(folder, change))


def as_folder(folder, change):
    with zipfile.ZipFile(keras_file(folder, change)) as archive:
        archive.extractall(folder / "model")
    keras.saving.load_model(folder / "model")


def as_pickle(folder, change):
    """A pickle of a model holds such a file; what else a pickle may hold is Python's affair, not ours."""
    from pynn.saving.pickling import _restored

    _restored(keras_file(folder, change).read_bytes(), {})


def as_legacy(folder, change):
    path = folder / "m.h5"
    network().save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    keras.saving.load_model(path)


def as_json(folder, change):
    config = json.loads(network().to_json())
    change(config)
    keras.models.model_from_json(json.dumps(config))


def as_config(folder, change):
    config = {"config": network().get_config()}
    change(config)
    keras.Sequential.from_config(config["config"])


MODELS = [as_keras, as_folder, as_pickle, as_legacy, as_json, as_config]


def layer_becomes(entry):
    return lambda config: config["config"]["layers"].__setitem__(1, entry)


def activation_becomes(entry):
    return lambda config: config["config"]["layers"][1]["config"].__setitem__("activation", entry)


@pytest.mark.parametrize("load", MODELS)
@pytest.mark.parametrize("change", [layer_becomes(PROGRAM), activation_becomes(PROGRAM), activation_becomes(STOLEN)])
def test_rule_1_only_known_classes_and_functions(tmp_path, monkeypatch, load, change):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PynnError, match=r"cannot locate|[Uu]nknown|unknown"):
        load(tmp_path, change)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("load", MODELS)
def test_rule_2_no_code_without_safe_mode(tmp_path, load):
    """Whatever else the file says about it."""

    def change(config):
        config["safe_mode"] = False
        activation_becomes(CODE)(config)

    with pytest.raises(PynnError, match="safe_mode=False"):
        load(tmp_path, change)


@pytest.mark.parametrize("load", MODELS)
@pytest.mark.parametrize("units", [10**15, -1, 1.5, "5", None, [5]])
def test_rule_3_sizes_are_checked_before_memory_is_asked_for(tmp_path, load, units):
    def change(config):
        config["config"]["layers"][1]["config"]["units"] = units

    with pytest.raises((PynnError, MemoryError), match=r"units|would take|memory|allocate"):
        load(tmp_path, change)


# ---- formats of weights: each reads another array into a layer ------------------------------------------------------

KERNEL = "layers/a/vars/0"


def weights_h5(folder, array):
    path = folder / "w.weights.h5"
    network().save_weights(path)
    with h5py.File(path, "r+") as file:
        name = next(n for n in names_of(file) if file[n].shape == (4, 5))
        del file[name]
        file[name] = array
    return path


def names_of(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def legacy_h5(folder, array):
    path = folder / "w.h5"
    network().save_weights(path)
    with h5py.File(path, "r+") as file:
        name = next(n for n in names_of(file) if file[n].shape == (4, 5))
        del file[name]
        file[name] = array
    return path


def npz(folder, array):
    path = folder / "w.npz"
    network().save_weights(path)
    with np.load(path) as file:
        arrays = dict(file)
    name = next(n for n, a in arrays.items() if a.shape == (4, 5))
    np.savez(path, **{**arrays, name: array})
    return path


def safetensors(folder, array):
    package = pytest.importorskip("safetensors.numpy")
    path = folder / "w.safetensors"
    network().save_weights(path)
    arrays = package.load_file(path)
    name = next(n for n, a in arrays.items() if a.shape == (4, 5))
    package.save_file({**arrays, name: np.ascontiguousarray(array)}, path)
    return path


@pytest.mark.parametrize("write", [weights_h5, legacy_h5, npz, safetensors])
@pytest.mark.parametrize(
    "array", [np.zeros((5, 4), "f4"), np.zeros((4, 5, 1), "f4"), np.zeros((4000, 500), "f4"), np.zeros((), "f4")]
)
def test_rules_3_and_8_shapes_are_compared_and_nothing_is_half_loaded(tmp_path, write, array):
    path, model = write(tmp_path, array), network()
    before = model.get_weights()
    with pytest.raises(PynnError, match=r"expects|shape|another model"):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("write", [weights_h5, legacy_h5])
@pytest.mark.parametrize("link", [h5py.SoftLink("/"), h5py.ExternalLink("other.h5", "/")])
def test_rule_4_links_out_of_hdf5(tmp_path, write, link):
    with pytest.raises(PynnError, match="link to elsewhere; refused"):
        network().load_weights(write(tmp_path, link))


def test_rule_4_filters(tmp_path):
    """A filter may be a library to load."""
    path = weights_h5(tmp_path, np.zeros((4, 5), "f4"))
    with h5py.File(path, "r+") as file:
        name = next(n for n in names_of(file) if file[n].shape == (4, 5))
        del file[name]
        file.create_dataset(name, (4, 5), "f4", chunks=(4, 5), scaleoffset=3)
    with pytest.raises(PynnError, match=r"packed by the filters \[6\]; refused"):
        network().load_weights(path)


def test_rule_4_texts_without_end(tmp_path):
    """HDF5 itself would look for the next text forever."""
    path = tmp_path / "m.h5"
    network().save(path)
    content = path.read_bytes()
    at = content.index(b"GCOL\x01")
    (tmp_path / "m.h5").write_bytes(content[: at + 16] + bytes(16) + content[at + 32 :])
    with pytest.raises(PynnError, match="no possible length; refused"):
        keras.saving.load_model(path)


def link():
    info = zipfile.ZipInfo("assets/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def named(name):
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    return info


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["m.keras", "w.npz"])
@pytest.mark.parametrize(
    ("member", "why"),
    [(link(), "symbolic link"), (named("../out"), "leads out"), (named("/out"), "leads out"),
     (named("a\\b"), "not plain"), (None, "is there twice")],
)  # fmt: skip
def test_rule_5_members_of_archives(tmp_path, name, member, why):
    path, model = tmp_path / name, network()
    (model.save if name == "m.keras" else model.save_weights)(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(archive.namelist()[0] if member is None else member, b"x")
    with pytest.raises(PynnError, match=f"{why}.*; refused"):
        keras.saving.load_model(path) if name == "m.keras" else model.load_weights(path)


@pytest.mark.parametrize(
    ("member", "kind"), [("../out", tarfile.REGTYPE), ("a", tarfile.SYMTYPE), ("/out", tarfile.REGTYPE)]
)
def test_rule_6_tar_files(tmp_path, member, kind):
    info = tarfile.TarInfo(member)
    info.type, info.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(info, io.BytesIO(b""))
    target = tmp_path / "cache"
    origin = (tmp_path / "a.tar").as_uri()
    if member == "/out":  # without its slash it is a name like any other
        keras.utils.get_file("a.tar", origin, extract=True, cache_dir=target)
    else:
        with pytest.raises(PynnError, match=r"a\.tar"):
            keras.utils.get_file("a.tar", origin, extract=True, cache_dir=target)
    assert not (tmp_path / "out").exists()
    shutil.rmtree(target, ignore_errors=True)


class Trap:
    def __reduce__(self):
        return (open, ("was_here", "w"))


def test_rule_7_pickles_in_arrays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trap = np.empty((4, 5), object)
    trap[:] = Trap()
    with pytest.raises(PynnError, match=r"pickled objects; refused|expected numbers"):
        network().load_weights(npz(tmp_path, trap))
    np.savez(tmp_path / "imdb.npz", x_train=trap, y_train=trap, x_test=trap, y_test=trap)
    with pytest.raises(PynnError, match="is refused"):
        keras.datasets.imdb.load_data(tmp_path / "imdb.npz")
    assert not (tmp_path / "was_here").exists()
