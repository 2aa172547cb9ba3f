/**
 * A shell program that keeps another program: it runs it to its end and exits with its exit code. Its stdin is a pipe
 * that our process holds and never writes to: when our process dies, however it dies, the pipe closes, and the keeper
 * kills the program and removes the folder `disposable`, if one is set.
 *
 * `head` takes the arguments; `work` runs what they say with `run`.
 */
const keeper = (head: string, work: string): string => `
${head}
exec 3<&0 </dev/null
orphaned= child=
trap 'kill -TERM $child' TERM
# Nobody reads the output of an orphan, and writing to nobody would end this shell before it has cleaned up.
trap 'orphaned=yes; exec >/dev/null 2>&1; kill -KILL $child' USR1

run() {
  "$@" 3<&- &
  child=$!
  wait $child
  status=$?
  # A signal to this shell interrupts the wait before the child has ended.
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

/** Keeps a program that leaves no data. Arguments: its command. */
export const plainGuardProgram = keeper('disposable=', 'run "$@"');

/**
 * Keeps the broker, whose data it formats when they are new. Arguments: folder of server.properties and the data; folder
 * to remove ('' for none); cluster id; the Java command up to its class path.
 */
export const guardProgram = keeper(
  'folder=$1 disposable=$2 cluster=$3\nshift 3',
  `[ -e "$folder/log/meta.properties" ] ||
  run "$@" kafka.tools.StorageTool format -t "$cluster" -c "$folder/server.properties"
[ $status -ne 0 ] || run "$@" kafka.Kafka "$folder/server.properties"`,
);

/** The small broker's Java: a serial collector and the quick compiler alone start fastest and take the least memory. */
export function javaCommand(libraries: string, heapMb: number): string[] {
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
    ...logging.map((setting) => `-Dorg.slf4j.simpleLogger.${setting}`),
    '-cp',
    `${libraries}/*`,
  ];
}
