"""A worker as a team would write it: polls a batch, decodes, predicts, produces and commits.

    python bench/python/worker.py <brokers> <request topic> <SavedModel> <reply prefix, hex> <wait ms>

No validation, no deadlines, no dead letters, no order to keep: as small as it can be. With a wait of 0 it takes what is
there and sends at once; else it polls up to 256 records for that long, and the producer lingers as by default.
"""

import io
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from confluent_kafka import Consumer, Producer
from fastavro import schemaless_reader, schemaless_writer
from fastavro.schema import load_schema_ordered

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
MOST_RECORDS = 256
AVRO_HEADER_BYTES = 10


def schema(*names):
    return load_schema_ordered([str(SCHEMAS / f"{name}.avsc") for name in names])


REQUEST = schema("Tensor", "InferenceRequest")
REPLY = schema("Tensor", "InferenceError", "Timing", "InferenceReply")


def poll(consumer, wait_seconds):
    if wait_seconds > 0:
        return consumer.consume(MOST_RECORDS, wait_seconds)
    first = consumer.poll(1)
    return [first, *consumer.consume(MOST_RECORDS - 1, 0)] if first else []


def decode(record):
    return schemaless_reader(io.BytesIO(record.value()[AVRO_HEADER_BYTES:]), REQUEST)


def encode(prefix, request, probabilities):
    tensor = {
        "name": "probabilities",
        "datatype": "FP32",
        "shape": list(probabilities.shape),
        "data": probabilities.tobytes(),
    }
    out = io.BytesIO()
    out.write(prefix)
    schemaless_writer(out, REPLY, {"id": request["id"], "model": request["model"], "outputs": [tensor]})
    return out.getvalue()


def serve(consumer, producer, predict, prefix, wait_seconds):
    while True:
        records = [record for record in poll(consumer, wait_seconds) if not record.error()]
        if not records:
            continue
        requests = [decode(record) for record in records]
        rows = [np.frombuffer(r["inputs"][0]["data"], "<f4").reshape(-1, 64) for r in requests]
        probabilities = predict(pixels=tf.constant(np.concatenate(rows)))["probabilities"].numpy()
        shares = np.split(probabilities, np.cumsum([len(share) for share in rows])[:-1])
        for record, request, share in zip(records, requests, shares):
            headers = dict(record.headers())
            producer.produce(
                headers["reply-to"].decode(),
                encode(prefix, request, share),
                partition=int(headers["reply-partition"]),
                headers={"correlation-id": headers["correlation-id"]},
            )
        producer.poll(0)


def main():
    brokers, topic, model, prefix, wait_ms = sys.argv[1:]
    predict = tf.saved_model.load(model).signatures["serving_default"]
    predict(pixels=tf.zeros([1, 64]))
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "python-worker", "auto.offset.reset": "earliest"})
    linger = {} if float(wait_ms) > 0 else {"linger.ms": 0}
    producer = Producer({"bootstrap.servers": brokers, "queue.buffering.max.messages": 1_000_000, **linger})
    assigned = []
    consumer.subscribe([topic], on_assign=lambda _, partitions: assigned.extend(partitions))
    while not assigned:
        consumer.poll(0.1)
    print("ready", flush=True)
    serve(consumer, producer, predict, bytes.fromhex(prefix), float(wait_ms) / 1000)


main()
