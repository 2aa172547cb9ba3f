/*
 * A closed loop of requests on librdkafka: W under way, each reply sends the next. Cheap in processor time, so that the
 * system under test and not the generator is what limits.
 *
 *   load <brokers> <request topic> <reply topic> <partitions> <W> <warm-up ms> <measure ms> <value file>...
 *
 * Prints one line of JSON. Every reply is matched by its correlation id: one that comes twice or never is counted. Of
 * every fiftieth the value is printed in hex, for whoever knows what it should be.
 */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>

enum { MAX_VALUES = 64, MAX_REPLIES = 4096, CHECK_EVERY = 50, MAX_SAMPLES = 400, DRAIN_MS = 30000, MAX_REQUESTS = 1 << 23 };

typedef struct { char *bytes; size_t length; } value_t;
typedef struct { uint32_t number; char *hex; } sample_t;

static value_t values[MAX_VALUES];
static int value_count;
static double *sent_at;      /* by request; 0: answered */
static float *latencies;
static uint32_t sent, answered, measured, duplicates, sample_count;
static sample_t samples[MAX_SAMPLES];
static const char *request_topic, *reply_topic;
static int partitions;

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

static void read_value(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || value_count == MAX_VALUES) die(path, "can't be read");
  value_t *value = &values[value_count++];
  value->bytes = malloc(1 << 20);
  value->length = fread(value->bytes, 1, 1 << 20, file);
  fclose(file);
}

static void send_next(rd_kafka_t *producer) {
  if (sent == MAX_REQUESTS) die("requests", "more than this program counts");
  uint32_t number = sent++;
  int32_t partition = number % partitions;
  char correlation[12], reply_partition[12];
  int correlation_length = snprintf(correlation, sizeof correlation, "%u", number);
  int partition_length = snprintf(reply_partition, sizeof reply_partition, "%d", partition);
  value_t *value = &values[number % value_count];
  sent_at[number] = now_ms();
  rd_kafka_resp_err_t error = rd_kafka_producev(
      producer, RD_KAFKA_V_TOPIC(request_topic), RD_KAFKA_V_PARTITION(partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(value->bytes, value->length),
      RD_KAFKA_V_HEADER("correlation-id", correlation, correlation_length),
      RD_KAFKA_V_HEADER("reply-to", reply_topic, strlen(reply_topic)),
      RD_KAFKA_V_HEADER("reply-partition", reply_partition, partition_length), RD_KAFKA_V_END);
  if (error) die("produce", rd_kafka_err2str(error));
}

static void keep_sample(uint32_t number, const rd_kafka_message_t *message) {
  if (number % CHECK_EVERY != 0 || sample_count == MAX_SAMPLES) return;
  sample_t *sample = &samples[sample_count++];
  sample->number = number;
  sample->hex = malloc(message->len * 2 + 1);
  for (size_t i = 0; i < message->len; i++) sprintf(sample->hex + i * 2, "%02x", ((unsigned char *)message->payload)[i]);
  sample->hex[message->len * 2] = 0;
}

/* 1 when it answers a request of this run for the first time. */
static int take(const rd_kafka_message_t *message, double now, int measuring) {
  rd_kafka_headers_t *headers;
  const void *text;
  size_t length;
  char digits[16] = {0};
  if (message->err || rd_kafka_message_headers(message, &headers)) return 0;
  if (rd_kafka_header_get_last(headers, "correlation-id", &text, &length) || length >= sizeof digits) return 0;
  memcpy(digits, text, length);
  uint32_t number = strtoul(digits, NULL, 10);
  if (number >= sent || sent_at[number] == 0) {
    duplicates++;
    return 0;
  }
  if (measuring) latencies[measured++] = now - sent_at[number];
  sent_at[number] = 0;
  answered++;
  keep_sample(number, message);
  return 1;
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *brokers, int in_flight) {
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", brokers);
  if (type == RD_KAFKA_PRODUCER) {
    set(conf, "linger.ms", in_flight == 1 ? "0" : "1");
    set(conf, "queue.buffering.max.messages", "1000000");
  } else {
    set(conf, "group.id", "load");
    set(conf, "fetch.wait.max.ms", "100");
    set(conf, "enable.auto.commit", "false");
  }
  rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
  if (!client) die("client", error);
  return client;
}

static rd_kafka_queue_t *subscribe(rd_kafka_t *consumer) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int partition = 0; partition < partitions; partition++) {
    int64_t low, high;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(consumer, reply_topic, partition, &low, &high, 10000);
    if (error) die("reply topic", rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_add(list, reply_topic, partition)->offset = high;
  }
  if (rd_kafka_assign(consumer, list)) die("reply topic", "can't be assigned");
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_poll_set_consumer(consumer);
  return rd_kafka_queue_get_consumer(consumer);
}

/* Waits for the first only: the batch call itself would wait for the last. */
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
  printf("{\"measured\":%u,\"requests\":%u,\"seconds\":%.4f,\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"duplicates\":%u,\"lost\":%u,\"processorSeconds\":%.4f,\"samples\":[",
         measured, answered, seconds, measured ? latencies[measured / 2] : 0, measured ? latencies[(uint64_t)measured * 99 / 100] : 0,
         duplicates, sent - answered, processor);
  for (uint32_t i = 0; i < sample_count; i++) printf("%s[%u,\"%s\"]", i ? "," : "", samples[i].number % value_count, samples[i].hex);
  printf("]}\n");
}

int main(int argc, char **argv) {
  if (argc < 9) die("usage", "load brokers request-topic reply-topic partitions W warm-up-ms measure-ms value-file...");
  request_topic = argv[2];
  reply_topic = argv[3];
  partitions = atoi(argv[4]);
  uint32_t in_flight = atoi(argv[5]);
  double warm_up = atof(argv[6]), measure = atof(argv[7]);
  for (int i = 8; i < argc; i++) read_value(argv[i]);
  sent_at = calloc(MAX_REQUESTS, sizeof *sent_at);
  latencies = calloc(MAX_REQUESTS, sizeof *latencies);

  rd_kafka_t *producer = make(RD_KAFKA_PRODUCER, argv[1], in_flight);
  rd_kafka_t *consumer = make(RD_KAFKA_CONSUMER, argv[1], in_flight);
  rd_kafka_queue_t *queue = subscribe(consumer);
  rd_kafka_message_t *replies[MAX_REPLIES];
  for (uint32_t i = 0; i < in_flight; i++) send_next(producer);
  double start = now_ms(), from = start + warm_up, until = from + measure;
  for (double now = start; now < until + DRAIN_MS && (now < until || answered < sent); now = now_ms()) {
    ssize_t count = next_replies(queue, replies);
    now = now_ms();
    for (ssize_t i = 0; i < count; i++) {
      if (take(replies[i], now, now >= from && now < until) && now < until) send_next(producer);
      rd_kafka_message_destroy(replies[i]);
    }
    rd_kafka_poll(producer, 0);
  }
  report(measure / 1e3);
  return 0;
}
