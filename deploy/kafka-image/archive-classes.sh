#!/bin/sh
# Starts a broker once and archives the classes it has loaded as /opt/kafka/kafka.jsa, so that later brokers start in
# half the time. The image works without the archive.
work=$(mktemp -d)
cat >"$work/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
offsets.topic.replication.factor=1
log.dirs=$work/log
END
kafka() {
  exec java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$@"
}
(kafka -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format -t partitura-archive-00000 -c "$work/server.properties")
kafka -XX:ArchiveClassesAtExit=/opt/kafka/kafka.jsa -cp '/opt/kafka/libs/*' kafka.Kafka "$work/server.properties" >"$work/out" 2>&1 &
broker=$!
waited=0
until grep -q 'Kafka Server started' "$work/out" || [ $waited -ge 60 ]; do
  sleep 1
  waited=$((waited + 1))
done
kill $broker
wait $broker
chmod a+r /opt/kafka/kafka.jsa
rm -rf "$work"
true
