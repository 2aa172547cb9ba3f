/**
 * Builds a shell program that guards another program: it runs it to completion and exits with its exit code. The
 * guard's stdin is a pipe that this process holds and never writes to: when this process dies, for any reason, the
 * pipe closes, and the guard kills the program and removes the folder `disposable`, if set.
 *
 * `head` parses the arguments; `work` runs the commands with `run`.
 */
const guard = (head: string, work: string): string => `
${head}
exec 3<&0 </dev/null
orphaned= child=
trap 'kill -TERM $child' TERM
# An orphan's output has no reader, and writing to a closed pipe would end this shell before the cleanup.
trap 'orphaned=yes; exec >/dev/null 2>&1; kill -KILL $child' USR1

run() {
  "$@" 3<&- &
  child=$!
  wait $child
  status=$?
  # A signal to this shell interrupts the wait before the child ends.
  while kill -0 $child 2>/dev/null; do
    wait $child
    status=$?
  done
}

(
  trap - TERM USR1
  read -r nothing <&3
  kill -USR1 $$
) >/dev/null 2>&1 &
watcher=$!

status=0
${work}

kill $watcher 2>/dev/null
[ -z "$orphaned" ] || [ -z "$disposable" ] || rm -rf "$disposable"
exit $status
`;

/** Guards a program without data. Arguments: its command. */
export const plainGuardProgram = guard('disposable=', 'run "$@"');

/**
 * Guards the broker and formats its data folder if it is new. Arguments: folder with server.properties and the data;
 * folder to remove ('' for none); cluster id; an option of Java for the broker alone ('' for none); the Java command up
 * to the class path.
 */
export const guardProgram = guard(
  'folder=$1 disposable=$2 cluster=$3 option=$4\nshift 4',
  `[ -e "$folder/log/meta.properties" ] ||
  run "$@" kafka.tools.StorageTool format -t "$cluster" -c "$folder/server.properties"
if [ $status -eq 0 ]; then
  java=$1
  shift
  run "$java" \${option:+"$option"} "$@" kafka.Kafka "$folder/server.properties"
fi`,
);

/**
 * Returns the Java command for a small broker: the serial collector and only the fast compiler start fastest and use
 * the least memory.
 * @param classArchive file with Kafka's loaded classes, which halves the time to start; ignored if it is missing or of
 * another Java; undefined for none
 */
export function javaCommand(libraries: string, heapMb: number, classArchive: string | undefined): string[] {
  const logging = [
    'defaultLogLevel=warn',
    'showDateTime=true',
    'dateTimeFormat=HH:mm:ss.SSS',
    'showShortLogName=true',
  ];
  return [
    'java',
    `-Xmx${heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...(classArchive === undefined ? [] : [`-XX:SharedArchiveFile=${classArchive}`]),
    // Java warns of an archive that it ignores, and of classes that it cannot archive.
    '-Xlog:disable',
    ...logging.map((setting) => `-Dorg.slf4j.simpleLogger.${setting}`),
    '-cp',
    `${libraries}/*`,
  ];
}
