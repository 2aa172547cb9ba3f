"""Trains the `digits` example model with Keras and exports it as a frozen SavedModel.

    python examples/digits/train.py [--output examples/models/digits/1]

Run by hand when the model is to change; its outputs are committed. Seeded: the same TensorFlow on the
same kind of processor gives the same weights. Tried with Python 3.11 and tensorflow-cpu 2.18.1.

The split is the one of dataset.ts: rows whose index is divisible by 5 are held back, the rest is trained on.
"""

import argparse
import gzip
import json
import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

HERE = Path(__file__).resolve().parent
PIXELS = 64
CLASSES = 10
HELD_BACK_EVERY = 5
EXPECTED_ROWS = 20


def load_digits():
    """Reads pixels as float32 [1797,64] with values 0 to 16, labels as int64 [1797]."""
    with gzip.open(HERE / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    return table[:, :PIXELS].astype(np.float32), table[:, PIXELS]


def build_model():
    """Builds the model, from raw pixels to probabilities: the model scales its inputs."""
    pixels = keras.Input((PIXELS,), name="pixels")
    scaled = keras.layers.Rescaling(1 / 16, name="scaled")(pixels)
    hidden = keras.layers.Dense(128, activation="relu", name="hidden")(scaled)
    probabilities = keras.layers.Dense(CLASSES, activation="softmax", name="probabilities")(hidden)
    return keras.Model(pixels, probabilities)


def train(pixels, labels):
    keras.utils.set_random_seed(20_240_501)
    tf.config.experimental.enable_op_determinism()
    model = build_model()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(pixels, labels, epochs=40, batch_size=32, verbose=0)
    return model


def freeze(model):
    """Freezes the model into one graph without variables: up to twice as fast at batch 1."""
    signature = tf.TensorSpec([None, PIXELS], tf.float32, name="pixels")
    concrete = tf.function(lambda pixels: model(pixels, training=False)).get_concrete_function(signature)
    return convert_variables_to_constants_v2(concrete)


def export_frozen(frozen, folder):
    """Writes a flat graph, without function calls, with the public names of the contract."""
    shutil.rmtree(folder, ignore_errors=True)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(frozen.graph.as_graph_def(), name="")
        tf.compat.v1.saved_model.simple_save(
            session,
            str(folder),
            inputs={"pixels": graph.get_tensor_by_name(frozen.inputs[0].name)},
            outputs={"probabilities": graph.get_tensor_by_name(frozen.outputs[0].name)},
        )


def expectations(model, pixels, labels):
    """Computes the expected results of a server: exact counts, and probabilities within 1e-5."""
    held_back = np.arange(len(labels)) % HELD_BACK_EVERY == 0
    probabilities = model.predict(pixels, batch_size=len(labels), verbose=0)
    correct = probabilities.argmax(axis=1) == labels
    return {
        "rows": len(labels),
        "correct": int(correct.sum()),
        "heldBackRows": int(held_back.sum()),
        "heldBackCorrect": int(correct[held_back].sum()),
        "heldBackAccuracy": round(float(correct[held_back].mean()), 6),
        "samples": [
            {
                "row": row,
                "label": int(labels[row]),
                "pixels": [int(p) for p in pixels[row]],
                "probabilities": [round(float(p), 8) for p in probabilities[row]],
            }
            for row in range(0, len(labels), len(labels) // EXPECTED_ROWS)
        ][:EXPECTED_ROWS],
    }


def write_expectations(expected):
    """Formats one sample per line, so that retraining yields a readable diff."""
    counts = {key: value for key, value in expected.items() if key != "samples"}
    samples = ",\n    ".join(json.dumps(sample, separators=(",", ":")) for sample in expected["samples"])
    text = json.dumps(counts, indent=2).removesuffix("\n}") + f',\n  "samples": [\n    {samples}\n  ]\n}}\n'
    (HERE / "expected.json").write_text(text)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=HERE.parent / "models" / "digits" / "1")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    pixels, labels = load_digits()
    trained_on = np.arange(len(labels)) % HELD_BACK_EVERY != 0
    model = train(pixels[trained_on], labels[trained_on])
    export_frozen(freeze(model), arguments.output)
    expected = expectations(model, pixels, labels)
    write_expectations(expected)
    print(f"held out: {expected['heldBackCorrect']} of {expected['heldBackRows']} right")


if __name__ == "__main__":
    main()
