"""Calls a gateway with NVIDIA's client library, over HTTP and gRPC.

    python call_triton.py <base URL> <gRPC address>
"""

import asyncio
import queue
import sys

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as grpc_aio
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

BATCH = np.array([[1, 2], [3, 4.5]], dtype=np.float32)
PIXELS = np.full((1, 64), 8, dtype=np.float32)


def refused(call, *args, **kwargs):
    """Returns the message with which a call is refused."""
    try:
        answer = call(*args, **kwargs)
    except InferenceServerException as error:
        return error.message()
    raise AssertionError(f"expected a refusal, got {answer}")


def tensor(library, name, array, datatype="FP32", **options):
    made = library.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, **options)
    return made


def typed_inputs(library, **options):
    """One input of each data type of the model `types`."""
    arrays = {
        "bool": (np.array([[True, False]]), "BOOL"),
        "bytes": (np.array([["ä".encode(), b""]], dtype=np.object_), "BYTES"),
        "fp32": (np.array([[1.5, -0.0]], dtype=np.float32), "FP32"),
        "int32": (np.array([[-1, 2]], dtype=np.int32), "INT32"),
        "int64": (np.array([[2**53 + 1, -5]], dtype=np.int64), "INT64"),
        "uint8": (np.array([[0, 255]], dtype=np.uint8), "UINT8"),
    }
    inputs = [tensor(library, name, array, datatype, **options) for name, (array, datatype) in arrays.items()]
    return arrays, inputs


def check_echoes(arrays, result):
    for name, (array, datatype) in arrays.items():
        echo = result.as_numpy(f"{name}_echo")
        if echo.dtype == np.object_:
            echo = np.array([[one.encode() if isinstance(one, str) else one for one in row] for row in echo], np.object_)
        assert (echo == array).all(), (name, echo)


def check_http(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("digits")
    assert not client.is_model_ready("digits", "9")
    assert client.get_server_metadata()["name"] == "partitura"
    assert client.get_model_metadata("digits")["inputs"] == [
        {"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}
    ]
    assert client.get_model_config("digits")["input"][0]["data_type"] == "TYPE_FP32"
    assert client.get_inference_statistics("digits")["model_stats"][0]["name"] == "digits"
    assert len(client.get_inference_statistics()["model_stats"]) > 1
    index = client.get_model_repository_index()
    assert {"name": "digits", "version": "1", "state": "READY", "reason": ""} in index, index
    for binary_in in (True, False):
        for binary_out in (True, False):
            outputs = [http.InferRequestedOutput("y", binary_data=binary_out)]
            inputs = [tensor(http, "x", BATCH, binary_data=binary_in)]
            result = client.infer("coder", inputs, outputs=outputs, request_id="one")
            assert (result.as_numpy("y") == BATCH * 2).all()
            assert result.get_response()["id"] == "one"
        arrays, inputs = typed_inputs(http, binary_data=binary_in)
        check_echoes(arrays, client.infer("types", inputs))
    for algorithm in ("gzip", "deflate"):
        result = client.infer(
            "digits",
            [tensor(http, "pixels", PIXELS)],
            request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm,
        )
        assert result.as_numpy("probabilities").shape == (1, 10)
    parts = [client.async_infer("coder", [tensor(http, "x", BATCH * n)]) for n in range(8)]
    for n, part in enumerate(parts):
        assert (part.get_result().as_numpy("y") == BATCH * n * 2).all()
    options = {"priority": 5, "timeout": 5_000_000, "parameters": {"custom": "value"}}
    client.infer("coder", [tensor(http, "x", BATCH)], model_version="1", **options)
    assert "unknown model" in refused(client.infer, "nope", [tensor(http, "x", BATCH)])
    assert "expected shape [-1,2], got [1,64]" in refused(client.infer, "coder", [tensor(http, "x", PIXELS)])
    assert "not supported" in refused(client.get_system_shared_memory_status)
    assert "not supported" in refused(client.register_system_shared_memory, "region", "/key", 64)


def check_grpc(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("digits")
    assert client.get_server_metadata().name == "partitura"
    assert list(client.get_model_metadata("digits").inputs[0].shape) == [-1, 64]
    config = client.get_model_config("digits").config
    assert (config.name, config.input[0].name, list(config.input[0].dims)) == ("digits", "pixels", [64]), config
    assert client.get_inference_statistics("digits").model_stats[0].name == "digits"
    assert len(client.get_inference_statistics().model_stats) > 1
    assert "digits READY" in [f"{one.name} {one.state}" for one in client.get_model_repository_index().models]
    result = client.infer("coder", [tensor(grpc, "x", BATCH)], request_id="one")
    assert (result.as_numpy("y") == BATCH * 2).all() and result.get_response().id == "one"
    arrays, inputs = typed_inputs(grpc)
    check_echoes(arrays, client.infer("types", inputs))
    outputs = [grpc.InferRequestedOutput("fp32_echo")]
    assert [one.name for one in client.infer("types", inputs, outputs=outputs).get_response().outputs] == ["fp32_echo"]
    for algorithm in ("gzip", "deflate"):
        client.infer("digits", [tensor(grpc, "pixels", PIXELS)], compression_algorithm=algorithm)
    options = {"priority": 5, "timeout": 5_000_000, "parameters": {"custom": "value"}, "client_timeout": 10}
    client.infer("coder", [tensor(grpc, "x", BATCH)], model_version="1", **options)
    assert "unknown model" in refused(client.infer, "nope", [tensor(grpc, "x", BATCH)])
    assert "expected shape [-1,2], got [1,64]" in refused(client.infer, "coder", [tensor(grpc, "x", PIXELS)])
    assert "Deadline" in refused(client.infer, "slow", [tensor(grpc, "x", np.ones((1, 4), np.float32))], client_timeout=0.01)
    assert "not supported" in refused(client.get_system_shared_memory_status)
    check_async(client)
    check_stream(client)


def check_async(client):
    answers = queue.Queue()
    for n in range(8):
        client.async_infer("coder", [tensor(grpc, "x", BATCH * n)], lambda result, error: answers.put((result, error)))
    for _ in range(8):
        result, error = answers.get(timeout=10)
        assert error is None and result.as_numpy("y").shape == (2, 2)


def check_stream(client):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for n in range(20):
        model = "nope" if n == 7 else "coder"
        final = n % 2 == 0
        client.async_stream_infer(
            model, [tensor(grpc, "x", BATCH * n)], request_id=str(n), enable_empty_final_response=final
        )
    for n in range(20):
        result, error = answers.get(timeout=10)
        if n == 7:
            assert "unknown model" in error.message(), error
            continue
        assert error is None, error
        response = result.get_response()
        assert response.id == str(n) and response.parameters["triton_final_response"].bool_param
        assert (result.as_numpy("y") == BATCH * n * 2).all()
    client.stop_stream()


async def check_aio(address):
    async with grpc_aio.InferenceServerClient(address) as client:
        calls = [client.infer("coder", [tensor(grpc_aio, "x", BATCH * n)]) for n in range(8)]
        for n, result in enumerate(await asyncio.gather(*calls)):
            assert (result.as_numpy("y") == BATCH * n * 2).all()


def check_control(client):
    client.unload_model("scale")
    assert not client.is_model_ready("scale")
    client.load_model("scale")
    assert client.is_model_ready("scale")
    assert "failed to load 'nope'" in refused(client.load_model, "nope")
    assert "takes no parameters" in refused(client.load_model, "scale", config='{"name": "scale"}')


def main(url, address):
    with http.InferenceServerClient(url.removeprefix("http://"), concurrency=4) as client:
        check_http(client)
        check_control(client)
    with grpc.InferenceServerClient(address) as client:
        check_grpc(client)
        check_control(client)
    asyncio.run(check_aio(address))
    print("all answers as expected")


if __name__ == "__main__":
    main(*sys.argv[1:])
