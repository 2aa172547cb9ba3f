#!/bin/sh
# Sends one handwritten digit to a Partitura cluster with kcat and prints how probable each digit is.
set -eu
brokers=${KAFKA_BROKERS:-127.0.0.1:9092}
replies=partitura.digits.replies
correlation=kcat-$(date +%s)-$$

# JSON in, JSON out: the reply comes in the format of its request.
kcat -P -b "$brokers" -t partitura.digits.requests \
  -H "correlation-id=$correlation" -H "reply-to=$replies" \
  "$(dirname "$0")/../../digits/request.json"

# Looks through the last records of each partition until ours is there.
for attempt in $(seq 60); do
  reply=$(kcat -C -q -e -b "$brokers" -t "$replies" -o -1000 -f '%h %s\n' | grep -aF "correlation-id=$correlation") && break
  [ "$attempt" -lt 60 ] || { echo "no reply after $attempt looks" >&2; exit 1; }
  sleep 0.5
done

case $reply in
  *'"error":'*) echo "${reply#* }" >&2; exit 1 ;;
esac
echo "${reply#* }" | sed 's/.*"data":\[\([^]]*\)\].*/\1/' | tr ',' '\n' | awk '{ printf "%d %.4f\n", NR - 1, $1 }'
