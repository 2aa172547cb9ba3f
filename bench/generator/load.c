/*
 * Runs a closed loop of requests on librdkafka: W in flight, each reply triggers the next. It uses little processor time, so
 * that the system under test is the bottleneck. With measure-ms=0 it sends only the W requests: a backlog.
 *
 *   load brokers=… request-topic=… reply-topic=… partitions=4 inflight=64 warm-up-ms=2000 measure-ms=5000 drain-ms=30000
 *        linger-ms=1 max-bytes=1000000 match=header|key spread=records|batches check=equal|floats|json needle=FILE [header=NAME:VALUE]
 *        VALUE-FILE EXPECTED-FILE [VALUE-FILE EXPECTED-FILE]...
 *
 * spread=records: each request goes to the next partition and requests its reply on the same one, as with many callers.
 * spread=batches: librdkafka chooses partitions, one at a time, and replies use one partition, as with a single caller.
 *
 * Prints one line of JSON. Every reply is matched by its correlation id (or key) and its value is checked; duplicate, missing
 * and wrong replies are counted. `equal`: the bytes of EXPECTED-FILE. `floats`: little-endian float32 after the bytes of
 * NEEDLE, close to those of EXPECTED-FILE. `json`: likewise as decimal text.
 */
#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_VALUES = 64, MAX_REPLIES = 4096, MAX_REQUESTS = 1 << 23 };
static const float TOLERANCE = 1e-4f;

typedef struct { char *bytes; size_t length; } bytes_t;
typedef int (*check_t)(const char *reply, size_t length, bytes_t expected);

static bytes_t values[MAX_VALUES], expected[MAX_VALUES], needle;
static int value_count;
static double *sent_at;      /* by request; 0: answered */
static float *latencies;
static uint32_t sent, answered, measured, duplicates, wrong;
static const char *brokers, *request_topic, *reply_topic, *header_name, *header_value;
static const char *linger_ms = "1", *max_bytes = "1000000";
static int partitions, matches_key, spreads_batches;
static uint32_t in_flight;
static double longest_gap_ms; /* between two replies, including those after the measurement */
static double warm_up_ms, measure_ms, drain_ms = 30000;
static check_t is_right;
static char first_wrong[201];

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what, const char *why) {
  fprintf(stderr, "load: %s: %s\n", what, why);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char error[512];
  if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) die(name, error);
}

static bytes_t read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path, "can't be read");
  fseek(file, 0, SEEK_END);
  bytes_t read = {.length = ftell(file)};
  rewind(file);
  read.bytes = malloc(read.length + 1);
  if (fread(read.bytes, 1, read.length, file) != read.length) die(path, "can't be read");
  fclose(file);
  return read;
}

static int equal(const char *reply, size_t length, bytes_t wanted) {
  return length == wanted.length && memcmp(reply, wanted.bytes, length) == 0;
}

static int floats(const char *reply, size_t length, bytes_t wanted) {
  const char *found = memmem(reply, length, needle.bytes, needle.length);
  if (!found) return 0;
  found += needle.length;
  if ((size_t)(reply + length - found) < wanted.length) return 0;
  for (size_t at = 0; at < wanted.length; at += sizeof(float)) {
    float got, want;
    memcpy(&got, found + at, sizeof got);
    memcpy(&want, wanted.bytes + at, sizeof want);
    if (!(fabsf(got - want) <= TOLERANCE)) return 0;
  }
  return 1;
}

/* Numbers are parsed from a null-terminated copy, since librdkafka's buffer is not terminated. */
static int json(const char *reply, size_t length, bytes_t wanted) {
  static char *copy;
  static size_t room;
  const char *found = memmem(reply, length, needle.bytes, needle.length);
  if (!found) return 0;
  found += needle.length;
  size_t rest = reply + length - found;
  if (rest + 1 > room) copy = realloc(copy, room = 2 * rest + 1);
  memcpy(copy, found, rest);
  copy[rest] = 0;
  char *at = copy;
  for (size_t index = 0; index < wanted.length; index += sizeof(float)) {
    float want;
    memcpy(&want, wanted.bytes + index, sizeof want);
    at += strspn(at, " [],");
    char *end;
    float got = strtof(at, &end);
    if (end == at || !(fabsf(got - want) <= TOLERANCE)) return 0;
    at = end;
  }
  return 1;
}

static void send_next(rd_kafka_t *producer) {
  if (sent == MAX_REQUESTS) die("requests", "more than this program counts");
  uint32_t number = sent++;
  char id[12], reply_partition[12];
  int id_length = snprintf(id, sizeof id, "%u", number);
  int32_t partition = spreads_batches ? RD_KAFKA_PARTITION_UA : (int32_t)(number % partitions);
  int partition_length = snprintf(reply_partition, sizeof reply_partition, "%d", spreads_batches ? 0 : partition);
  bytes_t *value = &values[number % value_count];
  rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
  rd_kafka_header_add(headers, "correlation-id", -1, id, id_length);
  rd_kafka_header_add(headers, "reply-to", -1, reply_topic, -1);
  rd_kafka_header_add(headers, "reply-partition", -1, reply_partition, partition_length);
  if (header_name) rd_kafka_header_add(headers, header_name, -1, header_value, -1);
  sent_at[number] = now_ms();
  for (;;) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(request_topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(value->bytes, value->length),
        RD_KAFKA_V_KEY(matches_key ? id : NULL, matches_key ? id_length : 0),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (!error) return;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("produce", rd_kafka_err2str(error));
    rd_kafka_poll(producer, 10);
  }
}

/* Returns the number of the answered request; MAX_REQUESTS if the reply names none. */
static uint32_t number_of(const rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers;
  const void *text = message->key;
  size_t length = message->key_len;
  char digits[16] = {0};
  if (!matches_key && (rd_kafka_message_headers(message, &headers) ||
                       rd_kafka_header_get_last(headers, "correlation-id", &text, &length)))
    return MAX_REQUESTS;
  if (!text || length == 0 || length >= sizeof digits) return MAX_REQUESTS;
  memcpy(digits, text, length);
  return strtoul(digits, NULL, 10);
}

/* Returns 1 for the first reply to a request of this run. */
static int take(const rd_kafka_message_t *message, double now, int measuring) {
  if (message->err) return 0;
  uint32_t number = number_of(message);
  if (number >= sent || sent_at[number] == 0) {
    duplicates++;
    return 0;
  }
  if (measuring) latencies[measured++] = now - sent_at[number];
  sent_at[number] = 0;
  answered++;
  if (!is_right(message->payload, message->len, expected[number % value_count]) && wrong++ == 0)
    memcpy(first_wrong, message->payload, message->len < 200 ? message->len : 200);
  return 1;
}

static rd_kafka_t *make(rd_kafka_type_t type) {
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", brokers);
  set(conf, "message.max.bytes", max_bytes);
  if (type == RD_KAFKA_PRODUCER) {
    set(conf, "linger.ms", linger_ms);
    set(conf, "queue.buffering.max.messages", "2000000");
    set(conf, "queue.buffering.max.kbytes", "1000000");
  } else {
    set(conf, "group.id", "load");
    set(conf, "fetch.wait.max.ms", "100");
    set(conf, "enable.auto.commit", "false");
  }
  rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
  if (!client) die("client", error);
  return client;
}

/* The broker may not yet know that it leads a new topic. */
static int64_t end_of(rd_kafka_t *consumer, int partition) {
  int64_t low, high;
  for (double give_up_at = now_ms() + 10000;;) {
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(consumer, reply_topic, partition, &low, &high, 10000);
    if (!error) return high;
    if (now_ms() > give_up_at) die("reply topic", rd_kafka_err2str(error));
    usleep(50000);
  }
}

static rd_kafka_queue_t *subscribe(rd_kafka_t *consumer) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int partition = 0; partition < (spreads_batches ? 1 : partitions); partition++) {
    rd_kafka_topic_partition_list_add(list, reply_topic, partition)->offset = end_of(consumer, partition);
  }
  if (rd_kafka_assign(consumer, list)) die("reply topic", "can't be assigned");
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_poll_set_consumer(consumer);
  return rd_kafka_queue_get_consumer(consumer);
}

/* Waits for the first record only: the batch call would wait for the last. */
static ssize_t next_replies(rd_kafka_queue_t *queue, rd_kafka_message_t **replies) {
  replies[0] = rd_kafka_consume_queue(queue, 20);
  if (!replies[0]) return 0;
  ssize_t more = rd_kafka_consume_batch_queue(queue, 0, replies + 1, MAX_REPLIES - 1);
  return 1 + (more > 0 ? more : 0);
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void report(double seconds) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double processor = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  qsort(latencies, measured, sizeof *latencies, by_size);
  printf("{\"measured\":%u,\"requests\":%u,\"seconds\":%.4f,\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"duplicates\":%u,\"lost\":%u,"
         "\"wrong\":%u,\"longestGapMs\":%.1f,\"processorSeconds\":%.4f}\n",
         measured, answered, seconds, measured ? latencies[measured / 2] : 0,
         measured ? latencies[(uint64_t)measured * 99 / 100] : 0, duplicates, sent - answered, wrong, longest_gap_ms, processor);
  if (wrong) fprintf(stderr, "load: the first wrong reply begins: %.200s\n", first_wrong);
}

static void read_option(const char *name, const char *value) {
  if (!strcmp(name, "brokers")) brokers = value;
  else if (!strcmp(name, "request-topic")) request_topic = value;
  else if (!strcmp(name, "reply-topic")) reply_topic = value;
  else if (!strcmp(name, "partitions")) partitions = atoi(value);
  else if (!strcmp(name, "inflight")) in_flight = atoi(value);
  else if (!strcmp(name, "warm-up-ms")) warm_up_ms = atof(value);
  else if (!strcmp(name, "measure-ms")) measure_ms = atof(value);
  else if (!strcmp(name, "drain-ms")) drain_ms = atof(value);
  else if (!strcmp(name, "linger-ms")) linger_ms = value;
  else if (!strcmp(name, "max-bytes")) max_bytes = value;
  else if (!strcmp(name, "match")) matches_key = !strcmp(value, "key");
  else if (!strcmp(name, "spread")) spreads_batches = !strcmp(value, "batches");
  else if (!strcmp(name, "check")) is_right = !strcmp(value, "equal") ? equal : !strcmp(value, "json") ? json : floats;
  else if (!strcmp(name, "needle")) needle = read_file(value);
  else if (!strcmp(name, "header")) {
    char *colon = strchr(value, ':');
    if (!colon) die(value, "expected NAME:VALUE");
    *colon = 0;
    header_name = value;
    header_value = colon + 1;
  } else die(name, "not an option");
}

static void read_arguments(int argc, char **argv) {
  int index = 1;
  for (; index < argc && strchr(argv[index], '='); index++) {
    char *sign = strchr(argv[index], '=');
    *sign = 0;
    read_option(argv[index], sign + 1);
  }
  for (; index + 1 < argc && value_count < MAX_VALUES; index += 2, value_count++) {
    values[value_count] = read_file(argv[index]);
    expected[value_count] = read_file(argv[index + 1]);
  }
  if (!brokers || !request_topic || !reply_topic || !partitions || !in_flight || !is_right || !value_count)
    die("usage", "see the head of load.c");
}

int main(int argc, char **argv) {
  read_arguments(argc, argv);
  sent_at = calloc(MAX_REQUESTS, sizeof *sent_at);
  latencies = calloc(MAX_REQUESTS, sizeof *latencies);
  rd_kafka_t *producer = make(RD_KAFKA_PRODUCER);
  rd_kafka_queue_t *queue = subscribe(make(RD_KAFKA_CONSUMER));
  rd_kafka_message_t *replies[MAX_REPLIES];
  int backlog = measure_ms == 0;
  for (uint32_t i = 0; i < in_flight; i++) {
    send_next(producer);
    if (i % 1000 == 0) rd_kafka_poll(producer, 0);
  }
  double start = now_ms(), from = start + warm_up_ms, until = from + measure_ms;
  double first = 0, last = 0;
  for (double now = start; now < until + drain_ms && (now < until || answered < sent); now = now_ms()) {
    ssize_t count = next_replies(queue, replies);
    now = now_ms();
    for (ssize_t i = 0; i < count; i++) {
      int measuring = backlog || (now >= from && now < until);
      if (take(replies[i], now, measuring)) {
        if (last && last >= from && now - last > longest_gap_ms) longest_gap_ms = now - last;
        last = now;
        if (!first) first = now;
        if (now < until) send_next(producer);
      }
      rd_kafka_message_destroy(replies[i]);
    }
    rd_kafka_poll(producer, 0);
  }
  report((backlog ? last - first : measure_ms) / 1e3);
  return 0;
}
