"""Calls a gateway with the stubs of TensorFlow Serving, without TensorFlow.

    python call_tensorflow_serving.py <base URL> <gRPC address>

TensorFlow's own messages have to be on PYTHONPATH: compiled from the gateway's .proto files.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from google.protobuf.descriptor_pool import DescriptorPool
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

import numpy as np
from tensorflow.core.framework import types_pb2

BATCH = np.array([[1, 2], [3, 4.5]], dtype=np.float32)


def refused(call, request, **options):
    try:
        answer = call(request, **options)
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError(f"expected a refusal, got {answer}")


def fill(proto, array, dtype=types_pb2.DT_FLOAT):
    """Does what tf.make_tensor_proto does with an array."""
    proto.dtype = dtype
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    proto.tensor_content = array.tobytes()


def to_array(proto):
    """Does what tf.make_ndarray does with floats."""
    return np.array(proto.float_val, np.float32).reshape([dim.size for dim in proto.tensor_shape.dim])


def add_examples(examples):
    for row in ((1, 3), (1, 1)):
        examples.add().features.feature["x"].float_list.value.extend(row)


def check_predict(stub):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "coder"
    fill(request.inputs["x"], BATCH)
    reply = stub.Predict(request, timeout=10)
    assert (to_array(reply.outputs["y"]) == BATCH * 2).all(), reply
    assert (reply.model_spec.version.value, reply.model_spec.signature_name) == (1, "serving_default")
    request.model_spec.version.value = 1
    request.output_filter.append("y")
    assert (to_array(stub.Predict(request, timeout=10, compression=grpc.Compression.Gzip).outputs["y"]) == BATCH * 2).all()
    request.model_spec.signature_name = "normalize"
    assert to_array(stub.Predict(request, timeout=10).outputs["y"]).shape == (2, 2)
    request.model_spec.version.value = 9
    code, details = refused(stub.Predict, request)
    assert (code, details) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Specific(coder, 9)",
    ), details


def check_examples(stub):
    classify = classification_pb2.ClassificationRequest()
    classify.model_spec.name = "estimator"
    classify.model_spec.signature_name = "parsed"
    add_examples(classify.input.example_list.examples)
    first, second = stub.Classify(classify, timeout=10).result.classifications
    assert [(one.label, one.score) for one in first.classes] == [("first", 0.25), ("second", 0.75)], first
    assert [one.score for one in second.classes] == [0.5, 0.5]
    regress = regression_pb2.RegressionRequest()
    regress.model_spec.name = "estimator"
    regress.model_spec.signature_name = "total"
    add_examples(regress.input.example_list.examples)
    assert [one.value for one in stub.Regress(regress, timeout=10).result.regressions] == [4, 2]
    both = inference_pb2.MultiInferenceRequest()
    both.tasks.add(model_spec=classify.model_spec, method_name="tensorflow/serving/classify")
    both.tasks.add(model_spec=regress.model_spec, method_name="tensorflow/serving/regress")
    add_examples(both.input.example_list.examples)
    results = stub.MultiInference(both, timeout=10).results
    assert results[0].classification_result.classifications[0].classes[1].label == "second"
    assert results[1].regression_result.regressions[0].value == 4


def check_models(channel, stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "coder"
    request.metadata_field.append("signature_def")
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert stub.GetModelMetadata(request).metadata["signature_def"].Unpack(signatures)
    x = signatures.signature_def["serving_default"].inputs["x"]
    assert (x.dtype, [dim.size for dim in x.tensor_shape.dim]) == (types_pb2.DT_FLOAT, [-1, 2]), x
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "coder"
    (version,) = models.GetModelStatus(status).model_version_status
    assert (version.version, version.state, version.status.error_code) == (1, 30, 0), version
    reload = model_management_pb2.ReloadConfigRequest()
    reload.config.model_config_list.config.add(name="coder", base_path="/models/coder")
    assert refused(models.HandleReloadConfigRequest, reload)[0] == grpc.StatusCode.UNIMPLEMENTED


def check_health_and_reflection(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "inference.GRPCInferenceService", "tensorflow.serving.PredictionService"):
        assert health.Check(health_pb2.HealthCheckRequest(service=service)).status == 1
        watch = health.Watch(health_pb2.HealthCheckRequest(service=service))
        assert next(watch).status == 1
        watch.cancel()
    assert refused(health.Check, health_pb2.HealthCheckRequest(service="nope"))[0] == grpc.StatusCode.NOT_FOUND
    database = ProtoReflectionDescriptorDatabase(channel)
    services = list(database.get_services())
    assert {"inference.GRPCInferenceService", "tensorflow.serving.ModelService", "grpc.health.v1.Health"} <= {*services}
    service = DescriptorPool(database).FindServiceByName("inference.GRPCInferenceService")
    assert "ModelInfer" in service.methods_by_name


def main(_url, address):
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        check_predict(stub)
        check_examples(stub)
        check_models(channel, stub)
        check_health_and_reflection(channel)
    print("all answers as expected")


if __name__ == "__main__":
    main(*sys.argv[1:])
