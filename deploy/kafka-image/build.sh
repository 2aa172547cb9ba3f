#!/bin/sh
# Builds a Kafka image where none can be pulled: Debian with a Java runtime, and Kafka's jars under /opt/kafka/libs as
# in the public image. Usage, as root: build.sh <image> <folder of Kafka's jars>
set -eu
image=$1 jars=$2
base=partitura/java:17
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "$1" >&2
  exit 1
}

if ! docker image inspect "$base" >/dev/null 2>&1; then
  [ "$(id -u)" -eq 0 ] || fail "building the base image needs root: run as root once, or set PARTITURA_KAFKA_IMAGE to an image that can be pulled"
  command -v debootstrap >/dev/null || fail "debootstrap is needed to build the base image: install it (Debian: apt-get install debootstrap)"
  # The distribution's default mirror serves, or the one that the machine's own apt uses.
  mirror=$(sed -n -e 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) bookworm main.*/\2/p' -e 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
  debootstrap --variant=minbase --include=openjdk-17-jre-headless bookworm "$work/root" $mirror >"$work/log" 2>&1 ||
    fail "debootstrap failed: $(tail -n 1 "$work/log")"
  rm -rf "$work/root/var/cache/apt" "$work/root/var/lib/apt/lists" "$work/root/usr/share/doc" "$work/root/usr/share/locale"
  tar -C "$work/root" -c . | docker import - "$base" >/dev/null
fi

mkdir "$work/context"
cp -r "$jars" "$work/context/libs"
cp "$here/archive-classes.sh" "$work/context/"
docker build --quiet --tag "$image" --file "$here/Dockerfile" --build-arg "BASE=$base" "$work/context" >/dev/null
