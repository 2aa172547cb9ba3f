#!/bin/sh
# Sends the first handwritten digits of the data through a Partitura cluster with Kafka Connect alone, from a file into a
# file, and prints how each is classified. Run it in the checkout; it needs Java 17 and Maven.
set -eu
here=$(dirname "$0")
KAFKA_BROKERS=${KAFKA_BROKERS:-127.0.0.1:9092}
FOLDER=$(mktemp -d)
export KAFKA_BROKERS FOLDER
digits=10
limit=60
worker=
trap 'if [ -n "$worker" ]; then kill "$worker" && wait "$worker" || true; fi; rm -r "$FOLDER"' EXIT

# A line of the data is 64 pixels and the digit that they show.
gunzip -c examples/digits/digits.csv.gz | head -n "$digits" | awk -F, '{
  digit = $NF; sub(/,[0-9]+$/, "")
  printf "{\"id\":\"line %d, a %s\",\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"FP32\",\"shape\":[1,64],\"data\":[%s]}]}\n", NR, digit, $0
}' > "$FOLDER/requests.jsonl"

mvn -q -f "$here" dependency:copy-dependencies
export CLASSPATH="$here/target/dependency/*"
quiet=-Dorg.slf4j.simpleLogger.defaultLogLevel=warn
java $quiet org.apache.kafka.tools.TopicCommand --bootstrap-server "$KAFKA_BROKERS" \
  --create --if-not-exists --topic digits.connect.replies > "$FOLDER/log" || { cat "$FOLDER/log" >&2; exit 1; }
java $quiet org.apache.kafka.connect.cli.ConnectStandalone \
  "$here/worker.properties" "$here/source.properties" "$here/sink.properties" &
worker=$!

for second in $(seq "$limit"); do
  sleep 1
  kill -0 "$worker" || { echo "Kafka Connect has ended" >&2; exit 1; }
  [ ! -f "$FOLDER/replies.jsonl" ] || [ "$(wc -l < "$FOLDER/replies.jsonl")" -lt "$digits" ] || break
  [ "$second" -lt "$limit" ] || { echo "not all replies within $limit s" >&2; exit 1; }
done

code=0
awk '
  /"error":/ { print; refused = 1; next }
  {
    match($0, /"id":"[^"]*/); id = substr($0, RSTART + 6, RLENGTH - 6)
    match($0, /"data":\[[^]]*/); count = split(substr($0, RSTART + 8, RLENGTH - 8), probability, ",")
    best = 1
    for (digit = 2; digit <= count; digit++) if (probability[digit] + 0 > probability[best] + 0) best = digit
    print id ", classified as " best - 1
  }
  END { exit refused }
' "$FOLDER/replies.jsonl" > "$FOLDER/answers" || code=$?
# Replies of several partitions come in any order.
sort -k 2n "$FOLDER/answers"
exit "$code"
