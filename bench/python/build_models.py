"""Builds the benchmark models, with the same weights as SavedModel and ONNX, and their expected outputs.

    python bench/python/build_models.py <digits SavedModel> <digits.csv.gz> <output folder>

All take one row of 8×8 pixels as float32 [-1,64] under the name `pixels` and give ten `probabilities`:

    digits     the shipped example, 64 → 128 → 10
    convnet    two convolutions with pooling, 0.2 million multiply-adds a row
    residual   13 convolutions 3×3×64 in six residual blocks, 28 million multiply-adds a row

Writes a model repository for each, <output>/tensorflow-<model>/ and <output>/onnx-<model>/, and
<output>/<model>.expected: TensorFlow's answers for every row of the file, float32 [1797,10].
"""

import gzip
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import onnx
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

PIXELS = 64
CLASSES = 10
OPSET = 17


class TensorFlowLayers:
    """Images are [rows, height, width, channels]."""

    def images(self, x):
        return tf.reshape(x / 16, [-1, 8, 8, 1])

    def convolution(self, x, kernel, bias):
        return tf.nn.conv2d(x, kernel, strides=1, padding="SAME") + bias

    def relu(self, x):
        return tf.nn.relu(x)

    def add(self, x, y):
        return x + y

    def halved(self, x):
        return tf.nn.max_pool2d(x, 2, 2, "VALID")

    def averaged(self, x):
        return tf.reduce_mean(x, axis=[1, 2])

    def probabilities(self, x, kernel, bias):
        return tf.nn.softmax(tf.matmul(x, kernel) + bias)


class OnnxLayers:
    """Builds the same operations as nodes of a graph; images are [rows, channels, height, width]."""

    def __init__(self):
        self.nodes = []
        self.constants = []

    def constant(self, values):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operation, *inputs, **attributes):
        output = f"{operation.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def images(self, x):
        scaled = self.node("Div", x, self.constant(np.float32(16)))
        return self.node("Reshape", scaled, self.constant(np.array([-1, 1, 8, 8], np.int64)))

    def convolution(self, x, kernel, bias):
        kernel = self.constant(kernel.transpose(3, 2, 0, 1))
        return self.node("Conv", x, kernel, self.constant(bias), auto_pad="SAME_UPPER")

    def relu(self, x):
        return self.node("Relu", x)

    def add(self, x, y):
        return self.node("Add", x, y)

    def halved(self, x):
        return self.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])

    def averaged(self, x):
        return self.node("Flatten", self.node("GlobalAveragePool", x))

    def probabilities(self, x, kernel, bias):
        logits = self.node("Gemm", x, self.constant(kernel), self.constant(bias))
        return self.node("Softmax", logits, axis=1)

    def model(self, output):
        self.nodes.append(helper.make_node("Identity", [output], ["probabilities"]))
        graph = helper.make_graph(
            self.nodes,
            "bench",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["rows", PIXELS])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", CLASSES])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model)
        return model


class Weights:
    """Returns weights that are seeded, so that every machine measures the same model, and scaled, so that values neither vanish nor explode."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def kernel(self, *shape):
        spread = np.sqrt(1.5 / np.prod(shape[:-1]))
        return (self.random.standard_normal(shape) * spread).astype(np.float32)

    def bias(self, size):
        return (self.random.standard_normal(size) * 0.1).astype(np.float32)


# Scale of the last kernel: outputs of rows must differ by more than the tolerance, or swapped rows would go undetected.
CONTRAST = np.float32(6)


def convnet(layers, pixels):
    weights = Weights(1)
    x = layers.images(pixels)
    x = layers.halved(layers.relu(layers.convolution(x, weights.kernel(3, 3, 1, 16), weights.bias(16))))
    x = layers.halved(layers.relu(layers.convolution(x, weights.kernel(3, 3, 16, 32), weights.bias(32))))
    return layers.probabilities(layers.averaged(x), weights.kernel(32, CLASSES) * CONTRAST, weights.bias(CLASSES))


def residual(layers, pixels):
    weights = Weights(2)
    x = layers.images(pixels)
    x = layers.relu(layers.convolution(x, weights.kernel(3, 3, 1, 64), weights.bias(64)))
    for _ in range(6):
        y = layers.relu(layers.convolution(x, weights.kernel(3, 3, 64, 64), weights.bias(64)))
        y = layers.convolution(y, weights.kernel(3, 3, 64, 64) * np.float32(0.3), weights.bias(64))
        x = layers.relu(layers.add(x, y))
    return layers.probabilities(layers.averaged(x), weights.kernel(64, CLASSES) * CONTRAST, weights.bias(CLASSES))


def save_tensorflow(build, folder):
    """Writes a frozen, flat graph, like the shipped example."""
    signature = tf.TensorSpec([None, PIXELS], tf.float32, name="pixels")
    concrete = tf.function(lambda pixels: build(TensorFlowLayers(), pixels)).get_concrete_function(signature)
    frozen = convert_variables_to_constants_v2(concrete)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(frozen.graph.as_graph_def(), name="")
        tf.compat.v1.saved_model.simple_save(
            session,
            str(folder),
            inputs={"pixels": graph.get_tensor_by_name(frozen.inputs[0].name)},
            outputs={"probabilities": graph.get_tensor_by_name(frozen.outputs[0].name)},
        )


def digits_layers(saved_model):
    """Extracts the weights of the shipped model from its graph: two kernels and two biases, by shape."""
    graph = tf.saved_model.load(str(saved_model)).signatures["serving_default"].graph
    found = {}
    for operation in graph.get_operations():
        if operation.type == "Const":
            values = tf.make_ndarray(operation.get_attr("value"))
            found[values.shape] = values
    return found[(PIXELS, 128)], found[(128,)], found[(128, CLASSES)], found[(CLASSES,)]


def digits_onnx(saved_model):
    hidden, hidden_bias, output, output_bias = digits_layers(saved_model)
    layers = OnnxLayers()
    x = layers.node("Div", "pixels", layers.constant(np.float32(16)))
    x = layers.relu(layers.node("Gemm", x, layers.constant(hidden), layers.constant(hidden_bias)))
    return layers.model(layers.probabilities(x, output, output_bias))


def version_folder(output, engine, name):
    return output / f"{engine}-{name}" / name / "1"


def save_onnx(model, folder):
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")


def answers(folder, pixels):
    predict = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return predict(pixels=tf.constant(pixels))["probabilities"].numpy()


def load_pixels(file):
    with gzip.open(file, "rt") as lines:
        return np.loadtxt(lines, delimiter=",", dtype=np.float32)[:, :PIXELS]


def main():
    digits, data, output = map(Path, sys.argv[1:4])
    pixels = load_pixels(data)
    shutil.copytree(digits, version_folder(output, "tensorflow", "digits"))
    save_onnx(digits_onnx(digits), version_folder(output, "onnx", "digits"))
    for name, build in {"convnet": convnet, "residual": residual}.items():
        save_tensorflow(build, version_folder(output, "tensorflow", name))
        layers = OnnxLayers()
        save_onnx(layers.model(build(layers, "pixels")), version_folder(output, "onnx", name))
    for name in ("digits", "convnet", "residual"):
        expected = answers(version_folder(output, "tensorflow", name), pixels)
        (output / f"{name}.expected").write_bytes(expected.astype("<f4").tobytes())


if __name__ == "__main__":
    main()
