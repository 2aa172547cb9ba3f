"""Custom MLServer runtime for the benchmark: runs the same SavedModel on the batches of MLServer."""

import logging
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class OnlyStartMessages(logging.Filter):
    def filter(self, record):
        return not record.getMessage().startswith("Processed message")


class SavedModel(MLModel):
    async def load(self):
        self.predict_batch = tf.saved_model.load(self.settings.parameters.uri).signatures["serving_default"]
        self.predict_batch(pixels=tf.zeros([1, 64]))
        return True

    async def predict(self, payload):
        pixels = NumpyCodec.decode_input(payload.inputs[0])
        probabilities = self.predict_batch(pixels=tf.constant(pixels))["probabilities"].numpy()
        output = NumpyCodec.encode_output("probabilities", probabilities)
        return InferenceResponse(id=payload.id, model_name=self.name, outputs=[output])
