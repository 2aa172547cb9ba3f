"""Writes the ONNX backend tests as a model repository, with the reference outputs of ONNX Runtime.

    pip install -r requirements.txt
    python reference.py OUT      # OUT/models/<name>/1/model.onnx and OUT/cases/<name>.json

A case: {"inputs": [tensor], "outputs": [tensor] | null, "random": its values differ each time, "reason": null | text}; a tensor: {"name", "datatype", "shape",
"data": base64 of its bytes as the product carries them}. `outputs` is null where ONNX Runtime, or the format of requests, has
no answer. Each model is asked in a process of its own, since some end it.
"""

import base64
import json
import multiprocessing
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import load_model_tests

DATATYPES = {
    np.dtype(np.bool_): "BOOL",
    np.dtype(np.uint8): "UINT8",
    np.dtype(np.uint16): "UINT16",
    np.dtype(np.uint32): "UINT32",
    np.dtype(np.uint64): "UINT64",
    np.dtype(np.int8): "INT8",
    np.dtype(np.int16): "INT16",
    np.dtype(np.int32): "INT32",
    np.dtype(np.int64): "INT64",
    np.dtype(np.float16): "FP16",
    np.dtype(np.float32): "FP32",
    np.dtype(np.float64): "FP64",
}
TIME_LIMIT_S = 60


class NoTensor(Exception):
    """A value that requests and replies cannot represent."""


def plain(value):
    """Converts values of test cases, which are arrays, numpy scalars or protocol buffers."""
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, (np.generic, int, float)) else value


def tensor(name, value):
    if not isinstance(value, np.ndarray):
        raise NoTensor(f"'{name}' is a {type(value).__name__}, not a tensor")
    if value.dtype.kind in "OUS":
        texts = [text if isinstance(text, bytes) else str(text).encode() for text in value.ravel().tolist()]
        data = b"".join(struct.pack("<I", len(text)) + text for text in texts)
        return {"name": name, "datatype": "BYTES", "shape": list(value.shape), "data": base64.b64encode(data).decode()}
    if value.dtype not in DATATYPES:
        raise NoTensor(f"'{name}' is {value.dtype}, which the protocol lacks")
    data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
    return {"name": name, "datatype": DATATYPES[value.dtype], "shape": list(value.shape), "data": data}


def cases():
    """Yields name, model and inputs, by position."""
    for case in collect_testcases(None):
        if case.model is not None and case.data_sets:
            yield case.name, case.model, [plain(value) for value in case.data_sets[0][0]]
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for case in load_model_tests(kind=kind):
            folder = Path(case.model_dir)
            model = onnx.load(folder / "model.onnx")
            yield case.name, model, stored_inputs(folder / "test_data_set_0", model)


def stored_inputs(folder, model):
    values = []
    for index, info in enumerate(model.graph.input[: len(list(folder.glob("input_*.pb")))]):
        content = (folder / f"input_{index}.pb").read_bytes()
        if info.type.HasField("tensor_type"):
            values.append(numpy_helper.to_array(onnx.TensorProto.FromString(content)))
        else:
            values.append(content)
    return values


def answer(content, inputs, connection):
    import onnxruntime

    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        names = [given.name for given in session.get_inputs()]
        feeds = dict(zip(names, inputs))
        first, second = ([plain(value) for value in session.run(None, feeds)] for _ in range(2))
        tensors = [tensor(output.name, value) for output, value in zip(session.get_outputs(), first)]
        again = [tensor(output.name, value) for output, value in zip(session.get_outputs(), second)]
        connection.send({"outputs": tensors, "random": tensors != again, "reason": None})
    except Exception as error:
        connection.send({"outputs": None, "reason": str(error)})


def reference(content, inputs):
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=answer, args=(content, inputs, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(TIME_LIMIT_S) else {"outputs": None, "reason": "no answer in time"}
    except EOFError:
        return {"outputs": None, "reason": "the process died"}
    finally:
        process.kill()
        process.join()


def ask(name, model, inputs):
    """Treats additional inputs of the graph as constants."""
    names = [value.name for value in model.graph.input]
    try:
        tensors = [tensor(given, value) for given, value in zip(names, inputs)]
    except NoTensor as error:
        return {"inputs": None, "outputs": None, "reason": str(error)}
    return {"inputs": tensors, **reference(model.SerializeToString(), inputs)}


def main():
    out = Path(sys.argv[1])
    (out / "cases").mkdir(parents=True, exist_ok=True)
    for name, model, inputs in cases():
        folder = out / "models" / name / "1"
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(model, folder / "model.onnx")
        (out / "cases" / f"{name}.json").write_text(json.dumps(ask(name, model, inputs)))


if __name__ == "__main__":
    multiprocessing.set_start_method("forkserver")
    multiprocessing.set_forkserver_preload(["numpy", "onnxruntime"])
    main()
