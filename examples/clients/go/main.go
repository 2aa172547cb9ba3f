// Sends one handwritten digit to a Partitura cluster and prints how probable each digit is.
// Run it with `go run -C examples/clients/go .` in the checkout.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/hamba/avro/v2/soe"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	requests = "partitura.digits.requests"
	replies  = "partitura.digits.replies"
	limit    = 30 * time.Second
)

type tensor struct {
	Name     string  `avro:"name"`
	Datatype string  `avro:"datatype"`
	Shape    []int64 `avro:"shape"`
	Data     []byte  `avro:"data"`
}

// Fields of the schema that are not here get their defaults.
type inferenceRequest struct {
	ID       string   `avro:"id"`
	Model    string   `avro:"model"`
	Inputs   []tensor `avro:"inputs"`
	Deadline *int64   `avro:"deadline"`
}

// Fields of the schema that are not here are skipped.
type inferenceReply struct {
	ModelVersion *string  `avro:"modelVersion"`
	Node         *string  `avro:"node"`
	Outputs      []tensor `avro:"outputs"`
	Error        *struct {
		Code    string `avro:"code"`
		Message string `avro:"message"`
	} `avro:"error"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := predict(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func predict(ctx context.Context) error {
	brokers := os.Getenv("KAFKA_BROKERS")
	if brokers == "" {
		brokers = "127.0.0.1:9092"
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...))
	if err != nil {
		return err
	}
	defer client.Close()
	// Reading starts behind the last record of now, so the reply can't be missed.
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, replies)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("where %s ends: %w", replies, err)
	}
	client.AddConsumePartitions(ends.KOffsets())

	value, err := encode()
	if err != nil {
		return err
	}
	correlation := fmt.Sprintf("go-%d-%d", os.Getpid(), time.Now().UnixNano())
	record := &kgo.Record{Topic: requests, Value: value, Headers: []kgo.RecordHeader{
		{Key: "correlation-id", Value: []byte(correlation)},
		{Key: "reply-to", Value: []byte(replies)},
	}}
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	return waitFor(ctx, client, correlation)
}

func waitFor(ctx context.Context, client *kgo.Client, correlation string) error {
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("no reply within %s", limit)
		}
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, record := range fetches.Records() {
			for _, header := range record.Headers {
				if header.Key == "correlation-id" && string(header.Value) == correlation {
					return show(record.Value)
				}
			}
		}
	}
}

// Avro's single-object encoding (C3 01, the schema's fingerprint, the value) is what the cluster reads.
func encode() ([]byte, error) {
	codec, err := codecOf("InferenceRequest", "Tensor")
	if err != nil {
		return nil, err
	}
	data, err := pixels()
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(limit).UnixMilli()
	return codec.Encode(inferenceRequest{
		ID:       fmt.Sprintf("go-%d", os.Getpid()),
		Model:    "digits",
		Inputs:   []tensor{{Name: "pixels", Datatype: "FP32", Shape: []int64{1, 64}, Data: data}},
		Deadline: &deadline,
	})
}

func show(value []byte) error {
	codec, err := codecOf("InferenceReply", "Tensor", "InferenceError", "Timing")
	if err != nil {
		return err
	}
	var reply inferenceReply
	if err := codec.Decode(value, &reply); err != nil {
		return err
	}
	if reply.Error != nil {
		return errors.New(reply.Error.Code + ": " + reply.Error.Message)
	}
	fmt.Printf("digits version %s, answered by %s\n", *reply.ModelVersion, *reply.Node)
	data := reply.Outputs[0].Data
	for digit := 0; digit*4 < len(data); digit++ {
		fmt.Printf("%d %.4f\n", digit, math.Float32frombits(binary.LittleEndian.Uint32(data[digit*4:])))
	}
	return nil
}

// A fingerprint is that of a schema with all that it refers to and without logical types. hamba/avro counts these in and
// leaves out what it parsed before, so each type is put where it is named and logical types are taken away.
func codecOf(name string, names ...string) (*soe.Codec, error) {
	schema, err := source(name)
	if err != nil {
		return nil, err
	}
	for _, named := range names {
		definition, err := source(named)
		if err != nil {
			return nil, err
		}
		schema = strings.Replace(schema, `"partitura.`+named+`"`, definition, 1)
	}
	parsed, err := avro.ParseWithCache(strings.ReplaceAll(schema, `, "logicalType": "timestamp-millis"`, ""), "", &avro.SchemaCache{})
	if err != nil {
		return nil, err
	}
	return soe.NewCodec(parsed)
}

func source(name string) (string, error) {
	text, err := os.ReadFile("../../../schemas/" + name + ".avsc")
	return string(text), err
}

func pixels() ([]byte, error) {
	text, err := os.ReadFile("../../digits/request.json")
	if err != nil {
		return nil, err
	}
	var request struct{ Inputs []struct{ Data []float32 } }
	if err := json.Unmarshal(text, &request); err != nil {
		return nil, err
	}
	var data []byte
	for _, pixel := range request.Inputs[0].Data {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(pixel))
	}
	return data, nil
}
