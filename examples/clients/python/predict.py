"""Sends one handwritten digit to a Partitura cluster and prints how probable each digit is."""

import io
import json
import os
import struct
import sys
import time
import uuid
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from fastavro import schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, load_schema, to_parsing_canonical_form

ROOT = Path(__file__).resolve().parents[3]
BROKERS = os.environ.get("KAFKA_BROKERS") or "127.0.0.1:9092"
REQUESTS, REPLIES = "partitura.digits.requests", "partitura.digits.replies"
LIMIT_SECONDS = 30


def schema(name):
    return load_schema(str(ROOT / "schemas" / "standalone" / f"{name}.avsc"))


def prefix(of):
    """Avro's single-object encoding: C3 01, the schema's fingerprint (little-endian, as fastavro writes it), the value."""
    return b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(of), "CRC-64-AVRO"))


REQUEST = schema("InferenceRequest")
REPLY = schema("InferenceReply")


def request():
    pixels = json.loads((ROOT / "examples/digits/request.json").read_text())["inputs"][0]["data"]
    tensor = {"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": struct.pack("<64f", *pixels)}
    deadline = int((time.time() + LIMIT_SECONDS) * 1000)
    return {"id": str(uuid.uuid4()), "model": "digits", "inputs": [tensor], "deadline": deadline}


def encode(value):
    out = io.BytesIO(prefix(REQUEST))
    out.seek(0, io.SEEK_END)
    schemaless_writer(out, REQUEST, value)
    return out.getvalue()


def decode(value):
    if not value.startswith(prefix(REPLY)):
        raise ValueError(f"written with a schema that is not ours: {value[:10].hex()}")
    return schemaless_reader(io.BytesIO(value[10:]), REPLY)


def ask(value):
    """Sends the bytes of a request and returns those of its reply."""
    consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": "digits-python", "enable.auto.commit": False})
    consumer.assign(list(at_end(consumer, REPLIES)))
    correlation = uuid.uuid4().bytes
    producer = Producer({"bootstrap.servers": BROKERS})
    producer.produce(REQUESTS, value, headers={"correlation-id": correlation, "reply-to": REPLIES})
    producer.flush(LIMIT_SECONDS)
    try:
        return wait_for(consumer, correlation)
    finally:
        consumer.close()


def at_end(consumer, topic):
    """Reading starts behind the last record of now, so the reply can't be missed."""
    for partition in consumer.list_topics(topic, LIMIT_SECONDS).topics[topic].partitions:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), LIMIT_SECONDS)
        yield TopicPartition(topic, partition, end)


def wait_for(consumer, correlation):
    give_up_at = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < give_up_at:
        record = consumer.poll(1)
        if record and not record.error() and dict(record.headers() or []).get("correlation-id") == correlation:
            return record.value()
    sys.exit(f"no reply within {LIMIT_SECONDS} s")


def show(reply):
    if reply["error"]:
        sys.exit("{code}: {message}".format(**reply["error"]))
    print(f"digits version {reply['modelVersion']}, answered by {reply['node']}")
    for digit, probability in enumerate(struct.unpack("<10f", reply["outputs"][0]["data"])):
        print(digit, f"{probability:.4f}")


if __name__ == "__main__":
    show(decode(ask(encode(request()))))
