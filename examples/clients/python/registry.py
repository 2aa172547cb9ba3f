"""As predict.py, with Confluent's own serializers and a schema registry that has the schemas of requests and replies."""

import os

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from predict import REPLIES, REQUESTS, ask, request, show

URL = os.environ.get("SCHEMA_REGISTRY_URL") or "http://127.0.0.1:8081/apis/ccompat/v7"

if __name__ == "__main__":
    registry = SchemaRegistryClient({"url": URL})
    # The schema that is registered for the topic, not one that this program would add.
    serialize = AvroSerializer(registry, conf={"auto.register.schemas": False, "use.latest.version": True})
    deserialize = AvroDeserializer(registry)
    value = serialize(request(), SerializationContext(REQUESTS, MessageField.VALUE))
    show(deserialize(ask(value), SerializationContext(REPLIES, MessageField.VALUE)))
