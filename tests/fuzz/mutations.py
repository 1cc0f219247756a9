"""Edits of files, as plain JSON: of bytes, and of what the formats are made of (JSON, zip members, HDF5 objects).

An edit that does not fit the content it meets does nothing, so any list of edits may be drawn, and made shorter.
"""

from __future__ import annotations

import copy
import io
import json
import stat
import struct
import zipfile
from typing import Any

import numpy as np
from values import HOSTILE, Draw

NUMBERS = (0, 1, 2, 3, 127, 255, 256, 32767, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**48, 2**62, 2**63, 2**64 - 1)
NAMES = (
    "../out", "/out", "a\\b", "C:/out", "", "config.json", "model.weights.h5", "assets/x", "x" * 300, "a\0b",
    "layers/dense/vars/0.npy", "é", "..", ".", "assets/../../out", "assets/_layer_checkpoint_dependencies/x",
)  # fmt: skip
#: What a config may say in place of something else: other classes, code, calls of functions, sizes.
CONFIGS: tuple[Any, ...] = (
    {"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None, "closure": None}},
    {"class_name": "Lambda", "config": {"function": ["4wAA", None, None], "function_type": "lambda"}},
    {"module": "os", "class_name": "system", "config": {"command": "touch out"}, "registered_name": None},
    {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
    {"module": "keras.layers", "class_name": "Dense", "config": {"units": 10**9}, "registered_name": None},
    {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/etc"}, "registered_name": None},
    {"module": "keras", "class_name": "Sequential", "config": {"layers": []}, "registered_name": None},
    {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://x"}, "registered_name": None},
    {"class_name": "__numpy__", "config": {"value": [[1, 2]], "dtype": "object"}},
    {"class_name": "__tensor__", "config": {"value": [1], "dtype": "V9999999999"}},
    {"class_name": "__keras_tensor__", "config": {"shape": [None, 2**40], "dtype": "int8", "keras_history": ["a", 0]}},
    {"class_name": "__typespec__", "config": None},
    {"class_name": "__bytes__", "config": {"value": 5}},
    {"class_name": "__slice__", "config": {"start": {}, "stop": None, "step": None}},
    {"class_name": "type", "config": "eval"},
    {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}}], "kwargs": {}},
    {"registered_name": "x", "class_name": "x", "config": {}}, [[]], [[[["x", 0, 0, {}]]]], "file:///etc/passwd",
)  # fmt: skip


# ---- drawing -----------------------------------------------------------------------------------------------------


def place(d: Draw) -> float:
    return d.integer(0, 9999) / 10_000


def bytes_edit(d: Draw) -> dict[str, Any]:
    kind = d.choice(("flip", "flip", "number", "cut", "insert", "copy", "wipe"))
    edit: dict[str, Any] = {"edit": kind, "at": place(d)}
    if kind == "flip":
        edit["value"] = d.integer(0, 255)
    elif kind == "number":
        edit |= {"value": d.choice(NUMBERS), "size": d.choice((1, 2, 4, 8)), "big": d.one_in(2)}
    elif kind in ("insert", "wipe"):
        edit |= {"count": d.choice((1, 2, 16, 100)), "value": d.choice((0, 255, 65))}
    elif kind == "copy":
        edit |= {"to": place(d), "count": d.choice((1, 4, 16, 200))}
    return edit


def json_edit(d: Draw) -> dict[str, Any]:
    kind = d.choice(("set", "set", "config", "delete", "swap", "deepen", "repeat", "key"))
    edit: dict[str, Any] = {"edit": f"json {kind}", "at": place(d)}
    if kind == "set":
        edit["value"] = d.choice(HOSTILE)
    elif kind == "config":
        edit["value"] = d.integer(0, len(CONFIGS) - 1)
    elif kind == "swap":
        edit["to"] = place(d)
    elif kind == "deepen":
        edit["count"] = d.choice((3, 50, 200, 3000))
    elif kind == "key":
        edit["value"] = d.choice(("class_name", "config", "module", "name", "dtype", "units", "safe_mode", "shape"))
    return edit


def zip_edit(d: Draw) -> dict[str, Any]:
    kind = d.choice(("rename", "drop", "twice", "bomb", "link", "empty", "content"))
    return {"edit": f"zip {kind}", "at": place(d), "name": d.integer(0, len(NAMES) - 1), "inside": bytes_edit(d)}


def h5_edit(d: Draw) -> dict[str, Any]:
    kinds = (
        "delete", "rename", "soft", "external", "hard", "group", "dtype", "shape", "huge", "text", "empty", "virtual",
        "storage", "attribute", "attribute", "no attribute", "compound", "filter", "reference",
    )  # fmt: skip
    kind = d.choice(kinds)
    return {"edit": f"h5 {kind}", "at": place(d), "to": place(d), "value": d.choice(HOSTILE[:50])}


def array_edit(d: Draw) -> dict[str, Any]:
    """Of an ``.npy`` header."""
    texts = (
        "'descr': '|O'", "'descr': '<f8'", "'descr': '<V99'", "'descr': [('a', '<f4')]", "'descr': '<M8[s]'",
        "'shape': (-1,)", "'shape': (2**40,)", "'shape': 'x'", "'shape': (99999999999, 9999999999)",
        "'fortran_order': True",
    )  # fmt: skip
    return {"edit": "npy", "at": place(d), "value": d.choice(texts)}


# ---- editing -----------------------------------------------------------------------------------------------------


def edit_bytes(content: bytes, edit: dict[str, Any]) -> bytes:
    kind, data = edit["edit"], bytearray(content)
    at = int(edit["at"] * len(data))
    if kind == "cut":
        return bytes(data[:at])
    if not data:
        return content
    if kind == "flip":
        data[at] = edit["value"]
    elif kind == "number":
        size = edit["size"]
        number = (edit["value"] % 256**size).to_bytes(size, "big" if edit["big"] else "little")
        data[at : at + size] = number
    elif kind == "insert":
        data[at:at] = bytes([edit["value"]]) * edit["count"]
    elif kind == "wipe":
        data[at : at + edit["count"]] = bytes([edit["value"]]) * min(edit["count"], len(data) - at)
    elif kind == "copy":
        to = int(edit["to"] * len(data))
        data[to : to + edit["count"]] = data[at : at + edit["count"]]
    return bytes(data)


def edit_json(text: bytes, edit: dict[str, Any]) -> bytes:
    """Change one place of a JSON text."""
    kind = edit["edit"]
    if not kind.startswith("json "):
        return edit_bytes(text, edit) if " " not in kind and kind != "npy" else text
    kind = kind.removeprefix("json ")
    try:
        tree = [json.loads(text)]
    except (ValueError, RecursionError):
        return text
    spots = list(_spots(tree))
    holder, key = spots[int(edit["at"] * len(spots))]
    if kind == "set":
        holder[key] = edit["value"]
    elif kind == "config":
        holder[key] = copy.deepcopy(CONFIGS[edit["value"] % len(CONFIGS)])
    elif kind == "swap":
        other, there = spots[int(edit["to"] * len(spots))]
        holder[key] = copy.deepcopy(other[there])
    elif kind == "delete" and holder is not tree:
        del holder[key]
    elif kind == "repeat" and isinstance(holder, list) and holder is not tree:
        holder.extend([copy.deepcopy(holder[key])] * 3)
    elif kind == "key" and isinstance(holder, dict):
        holder[edit["value"]] = holder.pop(key)
    elif kind == "deepen":
        inner = json.dumps(holder[key])
        holder[key] = "@@"
        deep = "[" * edit["count"] + inner + "]" * edit["count"]
        return json.dumps(tree[0]).replace('"@@"', deep).encode()
    return json.dumps(tree[0]).encode()


def _spots(node: Any) -> Any:
    """Every place of a tree that something else can be put in."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, item in list(items):
        yield node, key
        if isinstance(item, dict | list):
            yield from _spots(item)


def edit_zip(content: bytes, edit: dict[str, Any]) -> bytes:
    """Change one member of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
    except Exception:  # edited to death before
        return content
    if not members:
        return content
    kind = edit["edit"].removeprefix("zip ")
    index, name = int(edit["at"] * len(members)), NAMES[edit["name"]]
    info, data = members[index]
    method = zipfile.ZIP_STORED
    if kind == "rename":
        info = copy.copy(info)
        info.filename = info.orig_filename = name
        members[index] = info, data
    elif kind == "drop":
        del members[index]
    elif kind == "twice":
        members.append((info, data[: len(data) // 2]))
    elif kind == "bomb":
        members[index], method = (info, bytes(30_000_000)), zipfile.ZIP_DEFLATED
    elif kind == "link":
        link = zipfile.ZipInfo(f"assets/{index}")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        members.append((link, b"/etc/passwd"))
    elif kind == "empty":
        members[index] = info, b""
    else:
        members[index] = info, edit_bytes(data, edit["inside"])
    return pack_zip(members, method)


def pack_zip(members: list[tuple[Any, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for info, data in members:
            if isinstance(info, zipfile.ZipInfo):
                info.compress_type = method
            try:
                archive.writestr(info, data)
            except (ValueError, struct.error):
                continue
    return stream.getvalue()


def edit_member(content: bytes, member: str, edit: Any) -> bytes:
    """``edit(bytes)`` of one member."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return content
    return pack_zip([(info, edit(data) if info.filename == member else data) for info, data in members])


def edit_h5(content: bytes, edit: dict[str, Any]) -> bytes:
    """Change one object of an HDF5 file."""
    import h5py

    stream = io.BytesIO(content)
    try:
        with h5py.File(stream, "r+") as file:
            _edit_objects(h5py, file, edit)
    except Exception:  # an edit that this file cannot take
        return content if not stream.getvalue() else stream.getvalue()
    return stream.getvalue()


def _edit_objects(h5py: Any, file: Any, edit: dict[str, Any]) -> None:
    names: list[str] = []
    file.visit(names.append)
    if not names:
        return
    name = names[int(edit["at"] * len(names))]
    other = names[int(edit["to"] * len(names))]
    kind, value = edit["edit"].removeprefix("h5 "), edit["value"]
    if "attribute" in kind:
        holders = [file, *(file[n] for n in names)]
        keys = [(holder, key) for holder in holders for key in holder.attrs]
        if keys:
            holder, key = keys[int(edit["to"] * len(keys))]
            text = holder.attrs[key]
            del holder.attrs[key]
            if kind == "attribute":
                inner = json_like(text)
                holder.attrs[key] = inner if inner is not None and edit["at"] < 0.7 else str(value)
        return
    old = file[name]
    shape = old.shape if isinstance(old, h5py.Dataset) else (2,)
    del file[name]
    if kind == "rename":
        file[f"{name}_"] = old
    elif kind == "soft":
        file[name] = h5py.SoftLink("/" + other)
    elif kind == "external":
        file[name] = h5py.ExternalLink("/etc/passwd", "/")
    elif kind == "hard":
        file[name] = file[other.rsplit("/", 1)[0]]
    elif kind == "group":
        file.create_group(name)
    elif kind == "dtype":
        file.create_dataset(
            name, data=np.zeros(shape, np.dtype(["f8", "i1", "c8", "S3", "?", "u8"][int(edit["to"] * 6)]))
        )
    elif kind == "shape":
        file.create_dataset(name, data=np.zeros([(), (1,), (3, 2), (0,), (2, 2, 2, 2)][int(edit["to"] * 5)], "float32"))
    elif kind == "huge":
        file.create_dataset(name, (2**40, 2**20), "float32", chunks=(1024, 1024), compression="gzip")
    elif kind == "text":
        file.create_dataset(name, shape, h5py.string_dtype())
    elif kind == "empty":
        file[name] = h5py.Empty("float32")
    elif kind == "virtual":
        layout = h5py.VirtualLayout(shape, "float32")
        layout[...] = h5py.VirtualSource("other.h5", "x", shape)
        file.create_virtual_dataset(name, layout)
    elif kind == "storage":
        file.create_dataset(name, shape, "float32", external=[("/etc/passwd", 0, 80)])
    elif kind == "compound":
        file.create_dataset(name, shape, [("a", "f4")])
    elif kind == "filter":
        file.create_dataset(name, shape, "float32", chunks=tuple(max(1, n) for n in shape), scaleoffset=2)
    elif kind == "reference":
        file.create_dataset(name, shape, h5py.ref_dtype)


def json_like(value: Any) -> Any:
    """An attribute that is JSON text, spoiled; None for others."""
    try:
        text = value if isinstance(value, str | bytes) else None
        tree = json.loads(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return json.dumps({"class_name": "Sequential", "config": tree}).encode()


def edit_npy(content: bytes, edit: dict[str, Any]) -> bytes:
    """Change one entry of the header of the n-th array of an ``.npz``."""
    at = -1
    for _ in range(1 + int(edit["at"] * 4)):
        at = content.find(b"{'descr'", at + 1)
    if at < 0:
        return content
    key = edit["value"].split(":")[0]
    end = content.find(b"}", at)
    header = content[at:end].decode("latin1")
    start = header.find(key)
    stop = header.find(", '", start) if start >= 0 else -1
    if start < 0 or stop < 0:
        return content
    new = (header[:start] + edit["value"] + header[stop:]).encode("latin1")
    room = content.find(b"\n", end) - at
    return content[:at] + (new + b"}").ljust(room)[: max(room, 0)] + content[at + room :]


def edit_safetensors(content: bytes, edit: dict[str, Any]) -> bytes:
    """Change the header, and keep its length true."""
    if len(content) < 8:
        return content
    (length,) = struct.unpack("<Q", content[:8])
    if length > len(content):
        return content
    header = edit_json(content[8 : 8 + length], edit)
    return struct.pack("<Q", len(header)) + header + content[8 + length :]
