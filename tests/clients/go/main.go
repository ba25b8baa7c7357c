// franz-go: writes and reads a plan, and reports what each fault answers.
// The plan is described in tests/broker/plan.rs.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// octets are bytes that travel in hex; nil is null.
type octets []byte

func (o octets) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("null"), nil
	}
	return json.Marshal(hex.EncodeToString(o))
}

func (o *octets) UnmarshalJSON(text []byte) error {
	var digits *string
	if err := json.Unmarshal(text, &digits); err != nil || digits == nil {
		*o = nil
		return err
	}
	bytes, err := hex.DecodeString(*digits)
	*o = append(octets{}, bytes...)
	return err
}

// header is the pair [name, value].
type header struct {
	name  string
	value octets
}

func (h header) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{h.name, h.value})
}

func (h *header) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&h.name, &h.value})
}

type record struct {
	Partition int32    `json:"partition"`
	Offset    int64    `json:"offset"`
	Timestamp int64    `json:"timestamp"`
	Key       octets   `json:"key"`
	Value     octets   `json:"value"`
	Headers   []header `json:"headers"`
}

type topic struct {
	Name       string            `json:"name"`
	Partitions int32             `json:"partitions"`
	Codec      string            `json:"codec"`
	Acks       string            `json:"acks"`
	Idempotent bool              `json:"idempotent"`
	Configs    map[string]string `json:"configs"`
	Records    []record          `json:"records"`
}

type plan struct {
	Bootstrap  string  `json:"bootstrap"`
	Missing    string  `json:"missing"`
	FetchBytes int32   `json:"fetch_bytes"`
	Topics     []topic `json:"topics"`
}

type report struct {
	Acked    map[string][]*int64 `json:"acked"`
	Read     map[string][]record `json:"read"`
	Outcomes map[string]int64    `json:"outcomes"`
}

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

var acks = map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "franz-go:", err)
		os.Exit(1)
	}
}

// code is Kafka's code for an error, or 0.
func code(err error) int64 {
	var told *kerr.Error
	if errors.As(err, &told) {
		return int64(told.Code)
	}
	check(err)
	return 0
}

func client(p *plan, options ...kgo.Opt) *kgo.Client {
	opened, err := kgo.NewClient(append(options, kgo.SeedBrokers(p.Bootstrap))...)
	check(err)
	return opened
}

func create(ctx context.Context, admin *kadm.Client, t *topic) {
	configs := map[string]*string{}
	for key, value := range t.Configs {
		configs[key] = &value
	}
	_, err := admin.CreateTopic(ctx, t.Partitions, 1, configs, t.Name)
	check(err)
}

func producer(p *plan, t *topic) *kgo.Client {
	options := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[t.Codec]),
		kgo.RequiredAcks(acks[t.Acks]),
		kgo.ProducerLinger(20 * time.Millisecond),
		kgo.ProducerBatchMaxBytes(1_000_000),
		kgo.UnknownTopicRetries(1),
	}
	if !t.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1))
	}
	return client(p, options...)
}

func produce(ctx context.Context, p *plan, r *report) {
	admin := kadm.NewClient(client(p))
	defer admin.Close()
	for index := range p.Topics {
		create(ctx, admin, &p.Topics[index])
	}
	for index := range p.Topics {
		t := &p.Topics[index]
		writer := producer(p, t)
		acked := make([]*int64, len(t.Records))
		for index, planned := range t.Records {
			sent := &kgo.Record{
				Topic: t.Name, Partition: planned.Partition, Key: planned.Key, Value: planned.Value,
				Timestamp: time.UnixMilli(planned.Timestamp),
			}
			for _, h := range planned.Headers {
				sent.Headers = append(sent.Headers, kgo.RecordHeader{Key: h.name, Value: h.value})
			}
			writer.Produce(ctx, sent, func(written *kgo.Record, err error) {
				check(err)
				if t.Acks != "0" {
					acked[index] = &written.Offset
				}
			})
		}
		check(writer.Flush(ctx))
		writer.Close()
		r.Acked[t.Name] = acked
	}
}

func assigned(p *plan, t *topic, partitions int32, from kgo.Offset) *kgo.Client {
	places := map[int32]kgo.Offset{}
	for partition := range partitions {
		places[partition] = from
	}
	return client(p,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.Name: places}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxPartitionBytes(p.FetchBytes),
		kgo.KeepRetryableFetchErrors(),
	)
}

func read(ctx context.Context, p *plan, r *report) {
	for index := range p.Topics {
		t := &p.Topics[index]
		reader := assigned(p, t, t.Partitions, kgo.NewOffset().AtStart())
		seen := []record{}
		// Where records are missing, the time is up some day, and the report shows what was there.
		for len(seen) < len(t.Records) && ctx.Err() == nil {
			fetches := reader.PollFetches(ctx)
			if ctx.Err() == nil {
				check(fetches.Err())
			}
			fetches.EachRecord(func(found *kgo.Record) {
				row := record{
					Partition: found.Partition, Offset: found.Offset,
					Timestamp: found.Timestamp.UnixMilli(), Key: found.Key, Value: found.Value,
					Headers: []header{},
				}
				for _, h := range found.Headers {
					row.Headers = append(row.Headers, header{h.Key, h.Value})
				}
				seen = append(seen, row)
			})
		}
		reader.Close()
		r.Read[t.Name] = seen
	}
}

func faults(ctx context.Context, p *plan, r *report) {
	said := r.Outcomes
	t := &p.Topics[0]
	inner := client(p)
	admin := kadm.NewClient(inner)
	defer admin.Close()
	create(ctx, admin, t)

	makeTopic := func(name string, replicas int16) int64 {
		_, err := admin.CreateTopic(ctx, 1, replicas, nil, name)
		return code(err)
	}
	said["create an existing topic"] = makeTopic(t.Name, 1)
	said["create a topic with a bad name"] = makeTopic("no/slash", 1)
	said["create a topic with 3 replicas"] = makeTopic(t.Name+"-3", 3)

	writer := producer(p, t)
	send := func(name string, value []byte, milliseconds int64) int64 {
		sent := &kgo.Record{Topic: name, Value: value, Timestamp: time.UnixMilli(milliseconds)}
		return code(writer.ProduceSync(ctx, sent).FirstErr())
	}
	said["produce to an unknown topic"] = send(p.Missing, []byte("lost"), 0)
	large := producer(p, t)
	tooLarge := &kgo.Record{Topic: t.Name, Value: make10k()}
	said["produce a record that is too large"] = code(large.ProduceSync(ctx, tooLarge).FirstErr())
	large.Close()
	for index := range int64(10) {
		if refused := send(t.Name, []byte("v"+strconv.FormatInt(index, 10)), 1_000_000+index*1000); refused != 0 {
			check(fmt.Errorf("a plain record was refused with code %d", refused))
		}
	}
	writer.Close()

	offset := func(listed kadm.ListedOffsets, err error) int64 {
		check(err)
		found, _ := listed.Lookup(t.Name, 0)
		check(found.Err)
		return found.Offset
	}
	said["offset, earliest"] = offset(admin.ListStartOffsets(ctx, t.Name))
	said["offset, latest"] = offset(admin.ListEndOffsets(ctx, t.Name))
	said["offset at a time"] = offset(admin.ListOffsetsAfterMilli(ctx, 1_004_500, t.Name))
	said["offset at the largest time"] = offset(admin.ListMaxTimestampOffsets(ctx, t.Name))
	// kadm puts the end in place of "no such offset".
	said["offset after all times"] = offset(admin.ListOffsetsAfterMilli(ctx, 9_000_000, t.Name))
	if said["offset after all times"] == said["offset, latest"] {
		said["offset after all times"] = -1
	}

	beyond := assigned(p, t, 1, kgo.NewOffset().At(4711))
	said["fetch beyond the end"] = code(beyond.PollFetches(ctx).Err())
	beyond.Close()

	grow := func(count int) int64 {
		answers, err := admin.UpdatePartitions(ctx, count, t.Name)
		check(err)
		return code(answers[t.Name].Err)
	}
	said["create partitions"] = grow(4)
	said["create fewer partitions"] = grow(2)
	said["partitions"] = settled(4, func() int64 {
		listed, err := admin.ListTopics(ctx, t.Name)
		check(err)
		return int64(len(listed[t.Name].Partitions))
	})

	alter := func(value string) int64 {
		wanted := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}
		answers, err := admin.AlterTopicConfigs(ctx, wanted, t.Name)
		check(err)
		return code(answers[0].Err)
	}
	said["alter a config"] = alter("777000")
	described, err := admin.DescribeTopicConfigs(ctx, t.Name)
	check(err)
	for _, config := range described[0].Configs {
		if config.Key == "retention.ms" {
			said["retention.ms"], err = strconv.ParseInt(config.MaybeValue(), 10, 64)
			check(err)
		}
	}
	said["alter a config to nonsense"] = alter("soon")

	upTo := kadm.Offsets{}
	upTo.AddOffset(t.Name, 0, 4, -1)
	deleted, err := admin.DeleteRecords(ctx, upTo)
	check(err)
	said["delete records"] = deleted[t.Name][0].LowWatermark
	said["offset, earliest, after deleting records"] = offset(admin.ListStartOffsets(ctx, t.Name))

	drop := func(name string) int64 {
		answers, err := admin.DeleteTopics(ctx, name)
		check(err)
		return code(answers[name].Err)
	}
	said["delete an unknown topic"] = drop(p.Missing)
	said["delete a topic"] = drop(t.Name)
	said["the deleted topic is listed"] = settled(0, func() int64 {
		listed, err := admin.ListTopics(ctx)
		check(err)
		if found, listed := listed[t.Name]; listed && found.Err == nil {
			return 1
		}
		return 0
	})
}

func make10k() []byte {
	return []byte(fmt.Sprintf("%10000d", 1))
}

// settled is what look says once it says wanted, or at last: metadata reaches a broker a moment later.
func settled(wanted int64, look func() int64) int64 {
	seen := look()
	for range 600 {
		if seen == wanted {
			break
		}
		time.Sleep(50 * time.Millisecond)
		seen = look()
	}
	return seen
}

func main() {
	if os.Args[1] == "member" {
		member(os.Args[2:])
		return
	}
	verb, planPath, reportPath := os.Args[1], os.Args[2], os.Args[3]
	text, err := os.ReadFile(planPath)
	check(err)
	var p plan
	check(json.Unmarshal(text, &p))
	r := report{map[string][]*int64{}, map[string][]record{}, map[string]int64{}}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	switch verb {
	case "produce":
		produce(ctx, &p, &r)
	case "read":
		read(ctx, &p, &r)
	case "round-trip":
		produce(ctx, &p, &r)
		read(ctx, &p, &r)
	case "faults":
		faults(ctx, &p, &r)
	}
	text, err = json.Marshal(r)
	check(err)
	check(os.WriteFile(reportPath, text, 0o644))
	fmt.Printf("franz-go %s: %d topics written, %d read, %d outcomes\n", verb, len(r.Acked), len(r.Read), len(r.Outcomes))
}
